/**
 * What a run would ask and cost, before anything is sent: the requests that the store cannot answer, their tokens counted
 * on the real prompts, and the price under a stated assumption about the length of the answers, with the most that it can
 * be.
 */
import type { LlmClient, Task } from "./client.ts";
import { costOf } from "./prices.ts";
import { approximateTokens, type CountTokens, estimateInputTokens } from "./tokens.ts";

/** How an estimate is made. */
export interface EstimateOptions {
  /** Batch price. Default false. */
  readonly batch?: boolean;
  /** A tokenizer; without it tokens are approximated. */
  readonly countTokens?: CountTokens | undefined;
  /** Assumed tokens of one answer. Default half of what each request allows. */
  readonly outputTokens?: number | undefined;
  readonly signal?: AbortSignal;
}

/** A run before it is run. */
export interface Estimate {
  readonly requests: number;
  /** Requests that the store answers for nothing. */
  readonly cached: number;
  /** Of the requests that would be sent. */
  readonly inputTokens: number;
  /** Who counted: a tokenizer, or the approximation of this package. */
  readonly countedBy: "tokenizer" | "approximation";
  /** Assumed. */
  readonly outputTokens: number;
  /** The assumption in words. */
  readonly assumption: string;
  /** Undefined when the price of the model is unknown. */
  readonly usd: number | undefined;
  /** The most that it can cost, retries of lost answers aside. */
  readonly upperUsd: number | undefined;
}

/** Estimates a run; asks nobody. */
export async function estimateRun(
  client: LlmClient,
  tasks: Iterable<Task> | AsyncIterable<Task>,
  options: EstimateOptions = {},
): Promise<Estimate> {
  const { batch = false, countTokens, outputTokens: assumed, signal } = options;
  const { price } = client;
  const seen = new Set<string>();
  const sum = { cached: 0, inputTokens: 0, outputTokens: 0, usd: 0, upperUsd: 0 };
  for await (const task of tasks) {
    signal?.throwIfAborted();
    const encoded = client.encode(task);
    if (seen.has(encoded.key)) continue;
    seen.add(encoded.key);
    if (client.store.has(encoded.key)) {
      sum.cached += 1;
      continue;
    }
    const inputTokens = estimateInputTokens(task.request, countTokens ?? approximateTokens);
    const outputTokens = Math.min(assumed ?? task.request.maxTokens / 2, task.request.maxTokens);
    sum.inputTokens += inputTokens;
    sum.outputTokens += outputTokens;
    const usage = { inputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens };
    if (price !== undefined) sum.usd += costOf(price, usage, { batch });
    sum.upperUsd += client.upperUsd(encoded, { batch }) ?? 0;
  }
  return {
    requests: seen.size,
    cached: sum.cached,
    inputTokens: sum.inputTokens,
    countedBy: countTokens === undefined ? "approximation" : "tokenizer",
    outputTokens: Math.round(sum.outputTokens),
    assumption:
      assumed === undefined
        ? "answers half as long as the longest that is allowed"
        : `answers of ${assumed} tokens`,
    usd: price === undefined ? undefined : sum.usd,
    upperUsd: price === undefined ? undefined : sum.upperUsd,
  };
}

/** Lines for a person. */
export function describeEstimate(estimate: Estimate, model: string): string[] {
  const { requests, cached, inputTokens, outputTokens, usd, upperUsd } = estimate;
  const money =
    usd === undefined || upperUsd === undefined
      ? `price of ${model} unknown; give it with --prices FILE`
      : `about $${usd.toFixed(2)}, at most $${upperUsd.toFixed(2)}`;
  return [
    `${requests} requests to ${model}, ${cached} of them answered already`,
    `about ${inputTokens} input tokens (${estimate.countedBy}), ${outputTokens} output tokens (${estimate.assumption})`,
    money,
  ];
}
