/** One optimizer update at a time on token sequences with next-token loss; used by fine-tuning and pretraining. */
import type { LanguageModel } from "../model/checkpoint.ts";
import { dropoutMasks, type LoraSpec } from "../model/lora.ts";
import type { Parameters } from "../model/parameters.ts";
import { Random } from "../random/random.ts";
import { RunError } from "../util/errors.ts";
import { AdamW, type AdamWOptions, clipScale, gradientNorm } from "./adamw.ts";
import type { Backend, ForwardRunner, GradientRunner, Job } from "./backend.ts";
import {
  fillBatch,
  planMicroBatches,
  responseLength,
  type TrainingSequence,
} from "./micro-batch.ts";

export interface LanguageModelTrainerOptions extends AdamWOptions {
  readonly maxGradNorm: number;
  /** Tokens of one micro-batch. */
  readonly tokenBudget: number;
  /** Rows of several sequences, this long; one sequence a row without it. */
  readonly packTo?: number;
  /** Trains these adapters and leaves the model as it is. */
  readonly adapter?: TrainedAdapter;
}

/** Adapters in training. */
export interface TrainedAdapter {
  readonly spec: LoraSpec;
  readonly parameters: Parameters;
  /** Names the stream of the dropout masks. */
  readonly seed: number;
}

/** Trainer options from a stage's settings, with the AdamW constants of the published fine-tuning. */
export function trainerOptions(
  config: Pick<LanguageModelTrainerOptions, "weightDecay" | "maxGradNorm" | "tokenBudget">,
): LanguageModelTrainerOptions {
  const { weightDecay, maxGradNorm, tokenBudget } = config;
  return { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay, maxGradNorm, tokenBudget };
}

/** Training state of one model: gradients, moments, compiled programs. */
export class LanguageModelTrainer {
  readonly optimizer: AdamW;
  readonly #model: LanguageModel;
  readonly #options: LanguageModelTrainerOptions;
  readonly #backend: Backend;
  readonly #runner: GradientRunner;
  readonly #evaluator: ForwardRunner;

  /** What is trained: the adapters, or else the model. */
  readonly #trained: Parameters;

  constructor(model: LanguageModel, options: LanguageModelTrainerOptions, backend: Backend) {
    const { adapter } = options;
    this.#trained = adapter?.parameters ?? model.parameters;
    const { specs } = this.#trained;
    const program = {
      kind: "language_model",
      model: model.config,
      ...(adapter === undefined ? {} : { adapters: adapter.spec }),
    } as const;
    const runnerOptions = adapter === undefined ? {} : { frozen: model.parameters };
    this.#model = model;
    this.#options = options;
    this.#backend = backend;
    this.#runner = backend.gradientRunner(program, specs, runnerOptions);
    this.#evaluator = backend.forwardRunner(program, specs, runnerOptions);
    this.optimizer = new AdamW(this.#trained, options);
  }

  /**
   * One update on the mean loss over the response tokens of `sequences`.
   * @throws RunError `training.not_finite` when loss or gradient is NaN or infinite; the weights are then unchanged.
   */
  async update(
    sequences: readonly TrainingSequence[],
    learningRate: number,
  ): Promise<{ readonly loss: number; readonly gradientNorm: number; readonly tokens: number }> {
    const jobs = this.#withDropout(this.#jobs(sequences));
    const loss = sumOfLosses(await this.#runner.run(this.#trained, jobs));
    const norm = gradientNorm(this.#runner.gradients);
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new RunError(
        `training, update ${this.optimizer.steps + 1}: loss is ${loss}, gradient norm ${norm}`,
        {
          code: "training.not_finite",
          hint: "lower the learning rate or the gradient clipping norm",
        },
      );
    }
    this.optimizer.step(
      this.#runner.gradients,
      learningRate,
      clipScale(norm, this.#options.maxGradNorm),
    );
    return { loss, gradientNorm: norm, tokens: countResponseTokens(sequences) };
  }

  /** Mean loss over the response tokens of `sequences`, without an update. */
  async evaluate(sequences: readonly TrainingSequence[]): Promise<number> {
    return sumOfLosses(await this.#evaluator.run(this.#trained, this.#jobs(sequences)));
  }

  /** Masks of an update follow from the seed and its number, so that a resumed run draws the same. */
  #withDropout(jobs: readonly Job[]): readonly Job[] {
    const { adapter } = this.#options;
    if (adapter === undefined || adapter.spec.dropout === 0) return jobs;
    return jobs.map(({ shape, feeds }, at) => {
      const random = Random.of(adapter.seed, "dropout", this.optimizer.steps, at);
      const masks = dropoutMasks(this.#model.config, adapter.spec, shape, random);
      return { shape, feeds: { ...feeds, ...masks } };
    });
  }

  /** Micro-batches whose losses add up to the mean over all response tokens. */
  #jobs(sequences: readonly TrainingSequence[]): Job[] {
    const { tokenBudget, packTo } = this.#options;
    const weight = 1 / countResponseTokens(sequences);
    const plan = planMicroBatches(sequences, {
      tokenBudget,
      ...(packTo === undefined ? {} : { packTo }),
      workers: this.#backend.workers,
    });
    return plan.map((batch) => ({
      shape: batch,
      feeds: {
        ...fillBatch(batch, sequences, {
          padTokenId: this.#model.config.padTokenId,
          weight: () => weight,
        }),
      },
    }));
  }
}

function sumOfLosses(outputs: readonly { readonly loss?: Float32Array }[]): number {
  return outputs.reduce((sum, { loss }) => sum + (loss?.[0] ?? Number.NaN), 0);
}

/** Response tokens of all sequences together. */
function countResponseTokens(sequences: readonly TrainingSequence[]): number {
  return sequences.reduce((sum, sequence) => sum + responseLength(sequence), 0);
}
