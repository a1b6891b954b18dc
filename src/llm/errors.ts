/**
 * What can go wrong between here and a provider. The class says what may be done about it: whether another attempt can
 * help, whether every other request would fail in the same way, and whether the attempt may have been billed.
 */
import { type ErrorDetails, HabitsError } from "../util/errors.ts";

/** Facts about a failed attempt. */
export interface ProviderErrorDetails extends ErrorDetails {
  /** HTTP status; absent when no response came. */
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  /** Another attempt at the same request may succeed. */
  readonly retryable: boolean;
  /** Every request would fail in the same way: a bad key, an unknown model, no credit. Default false. */
  readonly fatal?: boolean;
  /** The server may have done the work: the connection was lost, or the body was broken, after the request was sent. Default false. */
  readonly mayBeBilled?: boolean;
  /** What the server asks to wait before the next attempt. */
  readonly retryAfterMs?: number | undefined;
}

/** A call to a provider that brought no answer. Its text never holds a key and is bounded. */
export class ProviderError extends HabitsError {
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryable: boolean;
  readonly fatal: boolean;
  readonly mayBeBilled: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ProviderErrorDetails) {
    super(message, details);
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryable = details.retryable;
    this.fatal = details.fatal ?? false;
    this.mayBeBilled = details.mayBeBilled ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The budget would be passed by the next request. Everything that was paid for is in the store. */
export class BudgetError extends HabitsError {}
