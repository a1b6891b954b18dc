/**
 * Padding-thrifty micro-batches. Sequences are sorted by length and cut into rectangles (B, T) of about `tokenBudget` tokens, T a
 * multiple of LENGTH_BLOCK, so that few shapes occur and little is computed on padding. Small rectangles also fit the processor's cache.
 * With packing, rows hold several sequences one after the other, told apart by segment numbers.
 *
 * What a loss needs at response tokens is an array of R slots, one for each position whose next token belongs to a response: the
 * vocabulary is wide, so logits are computed there only. R is rounded up to an eighth of the rectangle; a full one is the grid itself.
 */

/** A token sequence with what the loss needs at each predicted token. */
export interface TrainingSequence {
  /** Prompt and response together. */
  readonly ids: readonly number[];
  /** Tokens before the response; the response is what the loss is about. */
  readonly promptLength: number;
}

/** Shape of a training program: B rows, T positions, R slots; `isPacked` programs read segments and positions. */
export interface BatchShape {
  readonly B: number;
  readonly T: number;
  readonly R: number;
  readonly isPacked: boolean;
}

/** Where a sequence lies in a rectangle. */
export interface Placement {
  /** Index into the list of sequences. */
  readonly index: number;
  readonly row: number;
  /** Its first position in the row. */
  readonly start: number;
  /** Slot of its first response token; the others follow. */
  readonly slot: number;
}

/** A rectangle and the sequences in it; what they do not fill is padding. */
export interface MicroBatch extends BatchShape {
  readonly placements: readonly Placement[];
}

export interface PlanOptions {
  /** Tokens of a rectangle. */
  readonly tokenBudget: number;
  /** Length of rows that hold several sequences; one sequence a row without it. */
  readonly packTo?: number;
  /** True for a slot at every position, response or not: fewer shapes, where a slot costs little. */
  readonly isGrid?: boolean;
  /** Threads that share the rectangles: the budget is halved until there are two for each, or rectangles get small. */
  readonly workers?: number;
}

const LENGTH_BLOCK = 32;
const SLOT_STEPS = 8;
/** The last rectangle has as many of four steps of rows as it needs: few shapes, few empty rows. */
const ROW_STEPS = 4;
/** Rectangles of fewer tokens cost more a token (docs/methods/engine.md). */
const LEAST_BUDGET = 512;

/** Rectangles that cover all sequences, each once. */
export function planMicroBatches(
  sequences: readonly TrainingSequence[],
  options: PlanOptions,
): MicroBatch[] {
  const rows =
    options.packTo === undefined ? singleRows(sequences) : packRows(sequences, options.packTo);
  const { workers = 1, isGrid = false } = options;
  const isPacked = options.packTo !== undefined;
  let { tokenBudget } = options;
  let parts = cutRows(rows, tokenBudget);
  while (workers > 1 && parts.length < 2 * workers && tokenBudget >= 2 * LEAST_BUDGET) {
    tokenBudget /= 2;
    parts = cutRows(rows, tokenBudget);
  }
  return parts.map(({ B, T, part }) => placeRows(part, sequences, { B, T, isPacked, isGrid }));
}

/** Cuts rows, longest first, into rectangles of at most `tokenBudget` tokens, or of one row. */
function cutRows(
  rows: readonly Row[],
  tokenBudget: number,
): { readonly B: number; readonly T: number; readonly part: readonly Row[] }[] {
  const parts = [];
  for (let at = 0; at < rows.length; ) {
    const T = roundUp(rows[at]!.length, LENGTH_BLOCK);
    const full = Math.max(1, Math.floor(tokenBudget / T));
    const part = rows.slice(at, at + full);
    const B = Math.min(full, roundUp(part.length, Math.ceil(full / ROW_STEPS)));
    parts.push({ B, T, part });
    at += full;
  }
  return parts;
}

/** Sequences that share a row, and the positions that they take. */
interface Row {
  readonly indices: number[];
  length: number;
}

/** Positions that a sequence takes: its last token is predicted, never read. */
function inputLength(sequence: TrainingSequence): number {
  return sequence.ids.length - 1;
}

/** Indices from the longest sequence to the shortest. */
function byLength(sequences: readonly TrainingSequence[]): number[] {
  const lengths = sequences.map(inputLength);
  return lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
}

function singleRows(sequences: readonly TrainingSequence[]): Row[] {
  return byLength(sequences).map((index) => ({
    indices: [index],
    length: inputLength(sequences[index]!),
  }));
}

/** Best-fit decreasing: each sequence goes to the fullest row that still holds it. A sequence longer than `packTo` has its own row. */
function packRows(sequences: readonly TrainingSequence[], packTo: number): Row[] {
  const rows: Row[] = [];
  for (const index of byLength(sequences)) {
    const length = inputLength(sequences[index]!);
    let best: Row | undefined;
    for (const row of rows) {
      if (row.length + length <= packTo && row.length > (best?.length ?? -1)) best = row;
    }
    if (best === undefined) rows.push({ indices: [index], length });
    else {
      best.indices.push(index);
      best.length += length;
    }
  }
  return rows.sort((a, b) => b.length - a.length || a.indices[0]! - b.indices[0]!);
}

function placeRows(
  rows: readonly Row[],
  sequences: readonly TrainingSequence[],
  shape: { readonly B: number; readonly T: number; isPacked: boolean; isGrid: boolean },
): MicroBatch {
  const { B, T, isPacked } = shape;
  const responses = rows
    .flatMap((row) => row.indices)
    .reduce((sum, index) => sum + responseLength(sequences[index]!), 0);
  const step = (B * T) / SLOT_STEPS;
  const R = shape.isGrid ? B * T : Math.min(B * T, roundUp(responses, step));
  const isGrid = R === B * T;
  const placements: Placement[] = [];
  let slot = 0;
  rows.forEach(({ indices }, row) => {
    let start = 0;
    for (const index of indices) {
      const sequence = sequences[index]!;
      const gridSlot = row * T + start + sequence.promptLength - 1;
      placements.push({ index, row, start, slot: isGrid ? gridSlot : slot });
      slot += responseLength(sequence);
      start += inputLength(sequence);
    }
  });
  return { B, T, R, isPacked, placements };
}

function roundUp(value: number, multiple: number): number {
  return Math.max(1, Math.ceil(value / multiple)) * multiple;
}

/** Arrays of a micro-batch. Position t predicts token t + 1. */
export interface BatchArrays {
  /** (B, T) */
  readonly tokens: Int32Array;
  /** (B, T): number of the sequence in its row, from 1; 0 is padding. Only of packed batches. */
  readonly segments?: Int32Array;
  /** (B, T): position inside the sequence. Only of packed batches. */
  readonly positions?: Int32Array;
  /** (R): place of each slot among the B * T positions. Only where slots are fewer than positions. */
  readonly slots?: Int32Array;
  /** (R): the next token, 0 where there is none. */
  readonly targets: Int32Array;
  /** (R): `weight` of its sequence where the next token belongs to the response, else 0. */
  readonly weights: Float32Array;
}

/** Arrays of a micro-batch; `weight` is that of a response token of sequence `index`. */
export function fillBatch(
  batch: MicroBatch,
  sequences: readonly TrainingSequence[],
  { padTokenId, weight }: { readonly padTokenId: number; weight: (index: number) => number },
): BatchArrays {
  const { B, T, R } = batch;
  const tokens = new Int32Array(B * T).fill(padTokenId);
  const segments = new Int32Array(batch.isPacked ? B * T : 0);
  const positions = new Int32Array(batch.isPacked ? B * T : 0);
  const slots = new Int32Array(R === B * T ? 0 : R);
  const targets = new Int32Array(R);
  const weights = new Float32Array(R);
  for (const { index, row, start, slot } of batch.placements) {
    const { ids, promptLength } = sequences[index]!;
    const at = row * T + start;
    for (let t = 0; t + 1 < ids.length; t += 1) tokens[at + t] = ids[t]!;
    for (let t = promptLength - 1, r = slot; t + 1 < ids.length; t += 1, r += 1) {
      if (R !== B * T) slots[r] = at + t;
      targets[r] = ids[t + 1]!;
      weights[r] = weight(index);
    }
    if (!batch.isPacked) continue;
    const segment = start === 0 ? 1 : segments[at - 1]! + 1;
    for (let t = 0; t + 1 < ids.length; t += 1) {
      segments[at + t] = segment;
      positions[at + t] = t;
    }
  }
  return {
    tokens,
    ...(batch.isPacked ? { segments, positions } : {}),
    ...(R === B * T ? {} : { slots }),
    targets,
    weights,
  };
}

/** Puts values of response tokens into the slots (R). */
export function spreadResponseValues(
  batch: MicroBatch,
  values: (index: number) => ArrayLike<number>,
): Float32Array {
  const spread = new Float32Array(batch.R);
  for (const { index, slot } of batch.placements) spread.set(values(index), slot);
  return spread;
}

/** Takes the values of each sequence's response tokens out of the slots (R). */
export function collectResponseValues(
  batch: MicroBatch,
  sequences: readonly TrainingSequence[],
  values: Float32Array,
  receive: (index: number, own: Float32Array) => void,
): void {
  for (const { index, slot } of batch.placements) {
    receive(index, values.slice(slot, slot + responseLength(sequences[index]!)));
  }
}

/** Share of the positions of all rectangles that hold no token. */
export function paddingShare(
  batches: readonly MicroBatch[],
  sequences: readonly TrainingSequence[],
): number {
  const size = batches.reduce((sum, { B, T }) => sum + B * T, 0);
  return 1 - sequences.reduce((sum, sequence) => sum + inputLength(sequence), 0) / size;
}

/** Number of response tokens. */
export function responseLength(sequence: TrainingSequence): number {
  return sequence.ids.length - sequence.promptLength;
}
