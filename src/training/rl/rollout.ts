/** Rollouts of one step: sampled responses with their scores and per-token log-probabilities. */
import { renderPrompt, scoreCompletion } from "../../countdown/index.ts";
import type { Puzzle } from "../../data/rows.ts";
import type { LanguageModel } from "../../model/checkpoint.ts";
import { Random } from "../../random/random.ts";
import type { Backend } from "../backend.ts";
import type { TrainingSequence } from "../micro-batch.ts";
import type { RolloutConfig } from "./fields.ts";

export interface Rollout extends TrainingSequence {
  /** Log-probability of each response token under the policy that sampled it. */
  readonly logProbs: readonly number[];
  readonly score: number;
  readonly isCorrect: boolean;
  readonly hasAnswer: boolean;
  readonly isTruncated: boolean;
}

/** The puzzles of a step: the pool is shuffled anew for each pass over it, and steps take it in turn. */
export function puzzlesOfStep(
  pool: readonly Puzzle[],
  step: number,
  { promptsPerStep, seed }: { readonly promptsPerStep: number; readonly seed: number },
): Puzzle[] {
  const chosen: Puzzle[] = [];
  let position = (step - 1) * promptsPerStep;
  while (chosen.length < promptsPerStep) {
    const pass = Math.floor(position / pool.length);
    const order = Random.of(seed, "minibatch", "pass", pass).shuffle(pool);
    const start = position % pool.length;
    const part = order.slice(start, start + promptsPerStep - chosen.length);
    chosen.push(...part);
    position += part.length;
  }
  return chosen;
}

/** Samples and scores the responses of one step, those of a puzzle one after the other. */
export async function collectRollouts(
  policy: LanguageModel,
  backend: Backend,
  puzzles: readonly Puzzle[],
  options: { readonly config: RolloutConfig; readonly seed: string; readonly signal?: AbortSignal },
): Promise<Rollout[]> {
  const { config } = options;
  const requests = puzzles.flatMap((puzzle) => {
    const promptIds = policy.tokenizer.encodePrompt(renderPrompt(puzzle));
    return Array.from({ length: config.samplesPerPrompt }, (_, sample) => ({
      puzzle,
      promptIds,
      key: [puzzle.id, sample],
    }));
  });
  const sampled = await backend.sample(policy.config, policy.parameters, requests, {
    seed: options.seed,
    maxNewTokens: config.maxNewTokens,
    batchSize: config.decodeBatchSize,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return sampled.map((sequence, i) => {
    const { puzzle, promptIds } = requests[i] as (typeof requests)[number];
    const text = policy.tokenizer.decode(sequence.ids);
    const result = scoreCompletion(text, puzzle, { formatScore: config.formatScore });
    return {
      ids: [...promptIds, ...sequence.ids],
      promptLength: promptIds.length,
      logProbs: sequence.logProbs,
      score: result.score,
      isCorrect: result.correct,
      hasAnswer: result.answer !== null,
      isTruncated: sequence.stopReason === "length",
    };
  });
}
