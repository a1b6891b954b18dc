/** One optimizer update at a time on token sequences with next-token loss; used by fine-tuning and pretraining. */
import type { LanguageModel } from "../model/checkpoint.ts";
import { RunError } from "../util/errors.ts";
import { AdamW, type AdamWOptions, clipScale, gradientNorm } from "./adamw.ts";
import { ForwardRunner, GradientRunner } from "./gradient-runner.ts";
import { languageModelLoss } from "./language-model-loss.ts";
import {
  fillBatch,
  type MicroBatch,
  planMicroBatches,
  responseLength,
  type TrainingSequence,
} from "./micro-batch.ts";

export interface LanguageModelTrainerOptions extends AdamWOptions {
  readonly maxGradNorm: number;
  /** Tokens of one micro-batch. */
  readonly tokenBudget: number;
  readonly threads?: number;
}

/** Trainer options from a stage's settings, with the AdamW constants of the published fine-tuning. */
export function trainerOptions(
  config: Pick<LanguageModelTrainerOptions, "weightDecay" | "maxGradNorm" | "tokenBudget">,
  threads: number | undefined,
): LanguageModelTrainerOptions {
  const { weightDecay, maxGradNorm, tokenBudget } = config;
  const options = {
    betas: [0.9, 0.95],
    epsilon: 1e-8,
    weightDecay,
    maxGradNorm,
    tokenBudget,
  } as const;
  return threads === undefined ? options : { ...options, threads };
}

/** Training state of one model: gradients, moments, compiled programs. */
export class LanguageModelTrainer {
  readonly #model: LanguageModel;
  readonly #options: LanguageModelTrainerOptions;
  readonly #runner: GradientRunner;
  readonly #evaluator: ForwardRunner;
  readonly #optimizer: AdamW;

  constructor(model: LanguageModel, options: LanguageModelTrainerOptions) {
    this.#model = model;
    this.#options = options;
    const runnerOptions = {
      specs: model.parameters.specs,
      build: languageModelLoss(model.config),
      threads: options.threads ?? 1,
    };
    this.#runner = new GradientRunner(model.parameters, runnerOptions);
    this.#evaluator = new ForwardRunner(runnerOptions);
    this.#optimizer = new AdamW(model.parameters, options);
  }

  /**
   * One update on the mean loss over the response tokens of `sequences`.
   * @throws RunError `training.not_finite` when loss or gradient is NaN or infinite; the weights are then unchanged.
   */
  async update(
    sequences: readonly TrainingSequence[],
    learningRate: number,
  ): Promise<{ readonly loss: number; readonly gradientNorm: number; readonly tokens: number }> {
    const tokens = countResponseTokens(sequences);
    this.#runner.reset();
    let loss = 0;
    for (const batch of this.#plan(sequences)) {
      const feeds = this.#feeds(batch, sequences, 1 / tokens);
      loss +=
        (await this.#runner.add(this.#model.parameters, batch, feeds)).loss?.[0] ?? Number.NaN;
    }
    const norm = gradientNorm(this.#runner.gradients);
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new RunError(
        `training, update ${this.#optimizer.steps + 1}: loss is ${loss}, gradient norm ${norm}`,
        {
          code: "training.not_finite",
          hint: "lower the learning rate or the gradient clipping norm",
        },
      );
    }
    const scale = clipScale(norm, this.#options.maxGradNorm);
    this.#optimizer.step(this.#runner.gradients, learningRate, scale);
    return { loss, gradientNorm: norm, tokens };
  }

  /** Mean loss over the response tokens of `sequences`, without an update. */
  async evaluate(sequences: readonly TrainingSequence[]): Promise<number> {
    const tokens = countResponseTokens(sequences);
    let loss = 0;
    for (const batch of this.#plan(sequences)) {
      const feeds = this.#feeds(batch, sequences, 1 / tokens);
      loss +=
        (await this.#evaluator.run(this.#model.parameters, batch, feeds)).loss?.[0] ?? Number.NaN;
    }
    return loss;
  }

  async dispose(): Promise<void> {
    await this.#runner.dispose();
    await this.#evaluator.dispose();
  }

  #plan(sequences: readonly TrainingSequence[]): MicroBatch[] {
    const lengths = sequences.map((sequence) => sequence.ids.length - 1);
    return planMicroBatches(lengths, this.#options.tokenBudget);
  }

  #feeds(batch: MicroBatch, sequences: readonly TrainingSequence[], weight: number) {
    const { padTokenId } = this.#model.config;
    return { ...fillBatch(batch, sequences, { padTokenId, weight }) };
  }
}

/** Response tokens of all sequences together. */
export function countResponseTokens(sequences: readonly TrainingSequence[]): number {
  return sequences.reduce((sum, sequence) => sum + responseLength(sequence), 0);
}
