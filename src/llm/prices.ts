/**
 * What an answer costs. The list is one dated file, `prices.json`; a user's file of the same form is laid over it. A model
 * that is in neither has no price, and no number is made up for it.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { readJsonFile } from "../data/json.ts";
import type { Usage } from "./request.ts";

const usd = z.number().nonnegative();
const rates = {
  input: usd,
  /** Tokens read from the provider's prompt cache. */
  cachedInput: usd.optional(),
  /** Tokens written to it. */
  cacheWrite: usd.optional(),
  output: usd,
};

/** Rates of one model, in US dollars for one million tokens. */
export const priceSchema = z.strictObject({
  ...rates,
  /** Batch price over direct price. Default 1. */
  batchFactor: z.number().positive().optional(),
  /** Rates of the whole request when its prompt is longer than `aboveTokens`. */
  longPrompt: z.strictObject({ aboveTokens: z.number().int().positive(), ...rates }).optional(),
});
export type Price = z.infer<typeof priceSchema>;

export const priceListSchema = z.strictObject({
  /** Day on which the prices were looked up. */
  date: z.iso.date(),
  note: z.string().optional(),
  /** By provider, then by model. */
  models: z.record(z.string(), z.record(z.string(), priceSchema)),
});
export type PriceList = z.infer<typeof priceListSchema>;

/** The list that ships with the package. */
export function shippedPrices(): PriceList {
  return priceListSchema.parse(
    JSON.parse(readFileSync(new URL("./prices.json", import.meta.url), "utf8")),
  );
}

/**
 * The shipped list with a user's file laid over it, model by model.
 * @throws DataError naming each field of the file that does not fit
 */
export async function loadPrices(file?: string): Promise<PriceList> {
  const shipped = shippedPrices();
  if (file === undefined) return shipped;
  const own = await readJsonFile(file, priceListSchema);
  const models = { ...shipped.models };
  for (const [provider, list] of Object.entries(own.models)) {
    models[provider] = { ...models[provider], ...list };
  }
  return { date: own.date, models };
}

/**
 * Price of a model; undefined when it is in no list. A dated or `-latest` name has the price of the name without it; no
 * other part of a name is guessed.
 */
export function findPrice(list: PriceList, provider: string, model: string): Price | undefined {
  const models = list.models[provider];
  if (models === undefined) return undefined;
  const plain = model.replace(/-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, "");
  if (Object.hasOwn(models, model)) return models[model];
  return Object.hasOwn(models, plain) ? models[plain] : undefined;
}

const MILLION = 1e6;

/** Cost of one answer in US dollars. */
export function costOf(price: Price, usage: Usage, options: { batch: boolean }): number {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens } = usage;
  const { longPrompt } = price;
  const rate =
    longPrompt !== undefined && inputTokens > longPrompt.aboveTokens ? longPrompt : price;
  const freshTokens = Math.max(0, inputTokens - cachedInputTokens - cacheWriteTokens);
  const sum =
    freshTokens * rate.input +
    cachedInputTokens * (rate.cachedInput ?? rate.input) +
    cacheWriteTokens * (rate.cacheWrite ?? rate.input) +
    outputTokens * rate.output;
  return (sum * (options.batch ? (price.batchFactor ?? 1) : 1)) / MILLION;
}

/** The most that a request can cost: nothing from the prompt cache, all of it written there, every output token used. */
export function upperCostOf(
  price: Price,
  tokens: { input: number; output: number },
  options: { batch: boolean },
): number {
  const usage = (cacheWriteTokens: number): Usage => ({
    inputTokens: tokens.input,
    cachedInputTokens: 0,
    cacheWriteTokens,
    outputTokens: tokens.output,
  });
  return Math.max(costOf(price, usage(0), options), costOf(price, usage(tokens.input), options));
}
