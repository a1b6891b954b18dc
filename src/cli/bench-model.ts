/** `habits bench train|decode|ppo`: tokens a second of a model of any shape, on any device. */
import { availableParallelism, cpus, loadavg } from "node:os";
import type { Command } from "commander";
import { z } from "zod";
import { DEVICES } from "../engine/index.ts";
import { UsageError } from "../util/errors.ts";
import { type BenchKind, openBenchWork } from "./bench-work.ts";
import { formatNumber } from "./progress-text.ts";
import { schemaCommand } from "./schema-command.ts";

const whole = z.number().int().positive();

const shapeFields = {
  dModel: whole.default(128).describe("width of the model"),
  layers: whole.default(4).describe("blocks"),
  heads: whole.default(4).describe("query heads"),
  kvHeads: whole.optional().describe("key/value heads; as many as heads without it"),
  dFf: whole.default(512).describe("width of the feed-forward layer"),
  vocab: whole.default(512).describe("tokens of the vocabulary"),
};
const sampledFields = {
  batch: whole.default(256).describe("sequences of a round"),
  prompt: whole.default(32).describe("tokens of a prompt"),
  new: whole.default(160).describe("tokens to sample"),
};
const roundFields = {
  rounds: whole.default(5).describe("measured rounds; one before them warms up"),
  device: z.enum(DEVICES).default("cpu").describe("where the model runs"),
  workers: whole
    .optional()
    .describe("worker threads; as many as processors on cpu without it, else 1"),
  threads: whole.default(1).describe("threads inside one operator of each worker"),
  tokenBudget: whole.default(1536).describe("tokens of a micro-batch"),
};

type Given = z.infer<z.ZodObject<typeof shapeFields & typeof roundFields>> & {
  readonly batch: number;
  readonly seq?: number;
  readonly prompt?: number;
  readonly new?: number;
};

/** Median of a list that is not empty. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** All options, with what follows from others filled in. */
export function completeOptions(given: Given) {
  const { heads, kvHeads = heads, dModel, device } = given;
  const problems = [
    ...(dModel % (2 * heads) === 0
      ? []
      : [`--d-model ${dModel} is not a multiple of 2 x ${heads} heads`]),
    ...(heads % kvHeads === 0
      ? []
      : [`--heads ${heads} is not a multiple of --kv-heads ${kvHeads}`]),
  ];
  if (problems.length > 0) {
    throw new UsageError(`benchmark of a model: ${problems.join("; ")}`, {
      code: "bench.bad_shape",
      hint: "choose sizes that divide",
    });
  }
  const workers = given.workers ?? (device === "cpu" ? availableParallelism() : 1);
  return { seq: 0, prompt: 0, new: 0, ...given, kvHeads, workers };
}

function benchCommand<S extends z.ZodRawShape>(
  kind: BenchKind,
  summary: string,
  fields: S,
): Command {
  return schemaCommand({
    name: kind,
    summary,
    options: z.object({ ...shapeFields, ...fields, ...roundFields }),
    async run(given, io) {
      const options = completeOptions(given as unknown as Given);
      await using work = await openBenchWork(kind, options);
      const onProgress = io.progress(`bench ${kind}`);
      const seconds: number[] = [];
      for (let round = 0; round <= options.rounds; round += 1) {
        io.signal.throwIfAborted();
        const start = performance.now();
        await work.round();
        if (round > 0) seconds.push((performance.now() - start) / 1000);
        onProgress({ done: round, total: options.rounds, unit: "rounds" });
      }
      const rates = seconds.map((s) => work.tokens / s);
      const tokensPerSecond = {
        median: medianOf(rates),
        least: Math.min(...rates),
        most: Math.max(...rates),
      };
      const modelGflopPerSecond = work.flops / medianOf(seconds) / 1e9;
      const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
      const machine = {
        cpu: cpus()[0]?.model ?? "unknown",
        cores: cpus().length,
        node: process.version,
        load: loadavg()[0] ?? 0,
      };
      const result = {
        kind,
        options,
        machine,
        tokensPerSecond,
        modelGflopPerSecond,
        peakMemoryBytes,
      };
      io.result({ ...result, secondsPerRound: seconds }, [
        `${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}; device ${options.device}, ` +
          `${options.workers} workers of ${options.threads} threads`,
        `${kind}: ${formatNumber(tokensPerSecond.median)} tokens/s (median of ${seconds.length}, ` +
          `${formatNumber(tokensPerSecond.least)} to ${formatNumber(tokensPerSecond.most)}), ` +
          `${modelGflopPerSecond.toFixed(1)} model GFLOP/s, ${medianOf(seconds).toFixed(2)} s a round`,
        `peak memory ${(peakMemoryBytes / 2 ** 30).toFixed(2)} GiB`,
      ]);
    },
  });
}

/** `habits bench train`. */
export const benchTrain = benchCommand("train", "tokens trained a second by AdamW updates", {
  batch: whole.default(32).describe("sequences of an update"),
  seq: whole.default(192).describe("positions of a sequence"),
});
/** `habits bench decode`. */
export const benchDecode = benchCommand("decode", "tokens sampled a second", sampledFields);
/** `habits bench ppo`. */
export const benchPpo = benchCommand(
  "ppo",
  "tokens a second of a whole PPO step: sampling, reference, values, actor and critic",
  sampledFields,
);
