/** Results of a batch, line by line, from a server that may send anything. */
import { ProviderError } from "../errors.ts";
import { boundedText, type Secret } from "../secret.ts";
import { type CallContext, toProviderError } from "./http.ts";
import { streamLines } from "./jsonl-stream.ts";
import type { BatchLine } from "./provider.ts";

/**
 * The lines of a results file, each decoded by `decode`, which returns undefined for what it does not know.
 * @throws ProviderError when the connection is lost on the way
 */
export async function* decodeResults(
  response: Response,
  context: CallContext,
  decode: (value: unknown) => BatchLine | { readonly customId: string } | undefined,
): AsyncGenerator<BatchLine> {
  if (response.body === null) return;
  const lines = streamLines(response.body as AsyncIterable<Uint8Array>);
  try {
    for await (const { text, damage } of lines) {
      const value = damage === undefined ? parsed(text) : undefined;
      const line = value === undefined ? undefined : decode(value);
      if (line !== undefined && "kind" in line) yield line;
      else yield malformed(text, context.secret, line?.customId ?? null);
    }
  } catch (error) {
    throw error instanceof ProviderError ? error : toProviderError(error, context);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // reported as a malformed line
  }
}

function malformed(text: string, secret: Secret | undefined, customId: string | null): BatchLine {
  return { kind: "malformed", customId, text: boundedText(secret?.redact(text) ?? text, 120) };
}
