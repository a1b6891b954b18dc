/**
 * The work that `habits bench train|decode|ppo` measures, one round at a time: an update of a language model, a sampled batch, a
 * whole PPO step. Weights are random and no token ends a sequence, so that every round does the same work.
 */
import type { Device } from "../engine/index.ts";
import type { LanguageModel } from "../model/checkpoint.ts";
import { type ModelConfig, plainLlama } from "../model/config.ts";
import { languageModelSpecs, Parameters, sizeOf } from "../model/parameters.ts";
import type { SampleRequest } from "../model/sampler.ts";
import { Random } from "../random/random.ts";
import type { Backend } from "../training/backend.ts";
import { LanguageModelTrainer, trainerOptions } from "../training/language-model-trainer.ts";
import { openBackend } from "../training/parallel/open-backend.ts";
import { ppoConfigSchema } from "../training/ppo/config.ts";
import { ppoLearner } from "../training/ppo/ppo.ts";
import type { Rollout } from "../training/rl/rollout.ts";

export const BENCH_KINDS = ["train", "decode", "ppo"] as const;
export type BenchKind = (typeof BENCH_KINDS)[number];

/** Sizes of a model and of a round. */
export interface BenchShape {
  readonly dModel: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly dFf: number;
  readonly vocab: number;
  /** Sequences of a round. */
  readonly batch: number;
  /** Positions of a training sequence. */
  readonly seq: number;
  /** Tokens of a prompt, and tokens sampled after it. */
  readonly prompt: number;
  readonly new: number;
}

export interface BenchOptions extends BenchShape {
  readonly device: Device;
  /** Worker threads, and threads inside one operator of each. */
  readonly workers: number;
  readonly threads: number;
  /** Tokens of a micro-batch. */
  readonly tokenBudget: number;
}

/** Something to measure. */
export interface BenchWork extends AsyncDisposable {
  /** Tokens of a round: trained, or sampled. */
  readonly tokens: number;
  /** Floating-point operations of a round that the model itself needs (docs/methods/engine.md). */
  readonly flops: number;
  round(): Promise<void>;
}

const SEED = "bench";

function configOf(shape: BenchShape): ModelConfig {
  return {
    ...plainLlama({
      vocabSize: shape.vocab,
      hiddenSize: shape.dModel,
      intermediateSize: shape.dFf,
      layers: shape.layers,
      heads: shape.heads,
      ropeTheta: 10_000,
      normEpsilon: 1e-5,
      tieEmbeddings: true,
      maxPositions: Math.max(shape.seq + 1, shape.prompt + shape.new),
      padTokenId: 0,
      eosTokenId: 0,
    }),
    kvHeads: shape.kvHeads,
    eosTokenIds: [],
  };
}

/** Random weights; nothing measured here reads the tokenizer of a model. */
function modelOf(shape: BenchShape): LanguageModel {
  const config = configOf(shape);
  const parameters = new Parameters(languageModelSpecs(config));
  parameters.initialise(Random.of(SEED, "init"), config.layers);
  return { config, parameters } as LanguageModel;
}

/**
 * Operations of one token in a forward pass with `context` positions to attend to: 2 for each weight of a matrix, the output
 * projection included, and 4 · heads · head size · context for scores and mixing (Chowdhery et al. 2022, appendix B).
 */
export function forwardFlops(shape: BenchShape, context: number): number {
  const config = configOf(shape);
  const weights = languageModelSpecs(config)
    .filter((spec) => spec.shape.length === 2)
    .reduce((sum, spec) => sum + sizeOf(spec.shape), 0);
  return 2 * weights + 4 * config.layers * config.heads * config.headDim * context;
}

/** Tokens 0 to vocab - 1. */
function randomIds(random: Random, count: number, vocab: number): number[] {
  return Array.from({ length: count }, () => Math.floor(random.uniform() * vocab));
}

/** Prepares a kind of work; dispose of it afterwards. */
export async function openBenchWork(kind: BenchKind, options: BenchOptions): Promise<BenchWork> {
  const { workers, threads, device } = options;
  const backend = await openBackend({ workers, threads, device });
  const prepare = { train: trainWork, decode: decodeWork, ppo: ppoWork }[kind];
  return {
    ...prepare(options, backend),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

type Prepared = Omit<BenchWork, typeof Symbol.asyncDispose>;

/** One update: forward, backward, clipping, AdamW; the loss is on every position. */
function trainWork(options: BenchOptions, backend: Backend): Prepared {
  const { batch, seq, vocab, tokenBudget } = options;
  const settings = trainerOptions({ weightDecay: 0.01, maxGradNorm: 1, tokenBudget });
  const trainer = new LanguageModelTrainer(modelOf(options), settings, backend);
  const random = Random.of(SEED, "tokens");
  const sequences = Array.from({ length: batch }, () => ({
    ids: randomIds(random, seq + 1, vocab),
    promptLength: 1,
  }));
  return {
    tokens: batch * seq,
    flops: 3 * batch * seq * forwardFlops(options, seq),
    round: async () => {
      await trainer.update(sequences, 1e-4);
    },
  };
}

function requestsOf({ batch, prompt, vocab }: BenchShape): SampleRequest[] {
  const random = Random.of(SEED, "prompts");
  return Array.from({ length: batch }, (_, at) => ({
    promptIds: randomIds(random, prompt, vocab),
    key: [at],
  }));
}

function samplingFlops(shape: BenchShape): number {
  const read = shape.prompt * forwardFlops(shape, shape.prompt);
  return shape.batch * (read + shape.new * forwardFlops(shape, shape.prompt + shape.new / 2));
}

/** Different prompts are read and every sequence is sampled to its full length at temperature 1. */
function decodeWork(options: BenchOptions, backend: Backend): Prepared {
  const { config, parameters } = modelOf(options);
  const requests = requestsOf(options);
  let rounds = 0;
  return {
    tokens: options.batch * options.new,
    flops: samplingFlops(options),
    round: async () => {
      rounds += 1;
      const seed = `${SEED}/${rounds}`;
      const { new: maxNewTokens, batch: batchSize } = options;
      await backend.sample(config, parameters, requests, { seed, maxNewTokens, batchSize });
    },
  };
}

/** Sampling, reference log-probabilities, values, one update of the critic and one of the actor; scores are drawn at random. */
function ppoWork(options: BenchOptions, backend: Backend): Prepared {
  const model = modelOf(options);
  const requests = requestsOf(options);
  const { batch, prompt, new: maxNewTokens, tokenBudget } = options;
  const config = ppoConfigSchema.parse({
    promptsPerStep: batch,
    maxNewTokens,
    tokenBudget,
    actorMinibatches: 1,
    criticMinibatches: 1,
    criticWarmupSteps: 0,
    actorLearningRate: 1e-5,
    criticLearningRate: 1e-5,
  });
  const learner = ppoLearner(model, backend, { config, seed: 1 });
  let step = 0;
  const read = prompt + maxNewTokens;
  // Two forward passes, then forward and backward of actor and critic.
  const learning = batch * read * (2 + 2 * 3) * forwardFlops(options, read);
  return {
    tokens: batch * maxNewTokens,
    flops: samplingFlops(options) + learning,
    round: async () => {
      step += 1;
      const seed = `${SEED}/${step}`;
      const batchSize = batch;
      const sampled = await backend.sample(model.config, model.parameters, requests, {
        seed,
        maxNewTokens,
        batchSize,
      });
      const random = Random.of(SEED, "scores", step);
      const rollouts = sampled.map(({ ids, logProbs }, at): Rollout => {
        const promptIds = requests[at]?.promptIds ?? [];
        const score = Math.round(random.uniform());
        return {
          ids: [...promptIds, ...ids],
          promptLength: promptIds.length,
          logProbs,
          score,
          isCorrect: score === 1,
          hasAnswer: true,
          isTruncated: true,
        };
      });
      await learner.learn(step, rollouts, "lower the learning rate");
    },
  };
}
