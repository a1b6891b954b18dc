/** The room's surface: questions to language models that cost no cent and lose no row more than they must. */
export { type BatchOptions, type BatchReport, completeInBatches } from "./batch.ts";
export { formatUsd } from "./budget.ts";
export { type ClientOptions, LlmClient, type Task } from "./client.ts";
export { type Clock, systemClock } from "./clock.ts";
export { completeAll, type PlacedOutcome } from "./complete-all.ts";
export { BudgetError, ProviderError } from "./errors.ts";
export { describeEstimate, type Estimate, estimateRun } from "./estimate.ts";
export { loadPrices, type PriceList, shippedPrices } from "./prices.ts";
export { type OpenProviderOptions, openProvider } from "./providers/open.ts";
export type { Provider } from "./providers/provider.ts";
export type { Answer, AnswerRecord, LlmRequest, Message, Outcome, Usage } from "./request.ts";
export { AnswerStore, type Spending } from "./store.ts";
