/** Errors in the shape of OpenAI's API: `{ error: { message, type, param, code } }` with an HTTP status. */
import { HabitsError } from "../util/errors.ts";

export class ApiError extends HabitsError {
  readonly status: number;
  readonly type: string;
  /** The field of the request that is at fault. */
  readonly param: string | null;
  /** Seconds after which to try again. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    message: string,
    details: { code: string; type?: string; param?: string | null; retryAfter?: number },
  ) {
    super(message, { code: details.code });
    this.status = status;
    this.type = details.type ?? (status >= 500 ? "server_error" : "invalid_request_error");
    this.param = details.param ?? null;
    this.retryAfter = details.retryAfter;
  }

  /** The response body. */
  toBody() {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

/** A field with a value that cannot be used. */
export function badValue(param: string, message: string, code = "invalid_value"): ApiError {
  return new ApiError(400, message, { code, param });
}

/** Anything thrown while a request was answered. What is not an ApiError is ours, and its text may hold paths: it is not sent. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const code = error instanceof HabitsError ? error.code : "internal_error";
  return new ApiError(500, "the server failed while it computed the answer; its log says why", {
    code,
  });
}
