/** The model behind a mock server: an answer from a prompt, the same each time, and its usage. */
import { sha256 } from "../../../util/hash.ts";
import type { StopReason } from "../../request.ts";
import { approximateTokens } from "../../tokens.ts";

/** What a mock model is asked. */
export interface MockPrompt {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly maxTokens: number;
}

/** What it answers. */
export interface MockAnswer {
  readonly text: string;
  readonly stopReason: StopReason;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Writes the text of an answer. */
export type Respond = (prompt: MockPrompt) => string;

/** A short text that tells one prompt from another. */
export function respondWithHash({ messages }: MockPrompt): string {
  return `Mock answer ${sha256(JSON.stringify(messages)).slice(0, 12)}.`;
}

/** The answer to a prompt, with the oddity of a fault. */
export function mockAnswer(
  prompt: MockPrompt,
  respond: Respond,
  oddity?: "refusal" | "empty" | "max-tokens",
): MockAnswer {
  const inputTokens = prompt.messages.reduce((sum, m) => sum + approximateTokens(m.content) + 4, 3);
  const say = (text: string, stopReason: StopReason): MockAnswer => {
    const outputTokens = Math.min(prompt.maxTokens, Math.max(1, approximateTokens(text)));
    return { text, stopReason, inputTokens, outputTokens };
  };
  if (oddity === "refusal") return say("I would rather not.", "refusal");
  if (oddity === "empty") return say("", "stop");
  const text = respond(prompt);
  if (oddity === "max-tokens") return say(text.slice(0, Math.ceil(text.length / 2)), "length");
  return say(text, "stop");
}
