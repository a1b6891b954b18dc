/**
 * Padding-thrifty micro-batches. Sequences are sorted by length and cut into rectangles (B, T) of about `tokenBudget` tokens, T a
 * multiple of LENGTH_BLOCK, so that few shapes occur and little is computed on padding. Small rectangles also fit the processor's cache.
 */

/** A token sequence with what the loss needs at each predicted token. */
export interface TrainingSequence {
  /** Prompt and response together. */
  readonly ids: readonly number[];
  /** Tokens before the response; the response is what the loss is about. */
  readonly promptLength: number;
}

export interface MicroBatch {
  readonly B: number;
  readonly T: number;
  /** Indices into the list of sequences; at most B, the rest of the rectangle is padding. */
  readonly rows: readonly number[];
}

const LENGTH_BLOCK = 32;

/** Rectangles that cover all sequences of the given lengths (input positions, at least 1). */
export function planMicroBatches(lengths: readonly number[], tokenBudget: number): MicroBatch[] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const batches: MicroBatch[] = [];
  let at = 0;
  while (at < order.length) {
    const longest = lengths[order[at]!]!;
    const T = Math.max(LENGTH_BLOCK, Math.ceil(longest / LENGTH_BLOCK) * LENGTH_BLOCK);
    const B = Math.max(1, Math.floor(tokenBudget / T));
    batches.push({ B, T, rows: order.slice(at, at + B) });
    at += B;
  }
  return batches;
}

/** Rectangular arrays of a micro-batch. Position t predicts token t + 1. */
export interface BatchArrays {
  /** (B, T) */
  readonly tokens: Int32Array;
  /** (B, T): the next token, 0 where there is none. */
  readonly targets: Int32Array;
  /** (B, T): `weight` where the next token belongs to the response, else 0. */
  readonly weights: Float32Array;
}

/** Tokens, targets and loss weights of a micro-batch. */
export function fillBatch(
  batch: MicroBatch,
  sequences: readonly TrainingSequence[],
  { padTokenId, weight }: { readonly padTokenId: number; readonly weight: number },
): BatchArrays {
  const { B, T, rows } = batch;
  const tokens = new Int32Array(B * T).fill(padTokenId);
  const targets = new Int32Array(B * T);
  const weights = new Float32Array(B * T);
  rows.forEach((index, b) => {
    const { ids, promptLength } = sequences[index]!;
    for (let t = 0; t + 1 < ids.length; t += 1) {
      tokens[b * T + t] = ids[t]!;
      targets[b * T + t] = ids[t + 1]!;
      if (t + 1 >= promptLength) weights[b * T + t] = weight;
    }
  });
  return { tokens, targets, weights };
}

/** Spreads values of response tokens over the positions (B, T) that predict them. */
export function spreadResponseValues(
  batch: MicroBatch,
  sequences: readonly TrainingSequence[],
  values: (index: number) => ArrayLike<number>,
): Float32Array {
  const spread = new Float32Array(batch.B * batch.T);
  batch.rows.forEach((index, b) => {
    const start = b * batch.T + sequences[index]!.promptLength - 1;
    const own = values(index);
    for (let i = 0; i < own.length; i += 1) spread[start + i] = own[i]!;
  });
  return spread;
}

/** Number of response tokens. */
export function responseLength(sequence: TrainingSequence): number {
  return sequence.ids.length - sequence.promptLength;
}
