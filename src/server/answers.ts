/**
 * Answers in OpenAI's shapes. Both endpoints differ only in the names of things, so each is a set of functions that turn what
 * became certain about a choice into JSON. Reported log-probabilities are the model's own: temperature 1, no filters.
 */
import type { TokenRecord } from "../model/sampling/sequence.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { ChoiceEvent } from "./job.ts";

/** Head of every object of one answer. */
export interface AnswerHead {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** One choice, complete. */
export interface FullChoice {
  text: string;
  readonly records: TokenRecord[];
  reason: "stop" | "length" | null;
}

/** How an endpoint writes its answers. */
export interface AnswerShape {
  /** Before the first text of each choice; chat says here who speaks. */
  readonly opening: (head: AnswerHead, choice: number) => object | undefined;
  readonly chunk: (head: AnswerHead, event: ChoiceEvent, withLogProbs: boolean) => object;
  /** Last object of a stream that was asked for usage. */
  readonly usage: (head: AnswerHead, usage: Usage) => object;
  readonly whole: (
    head: AnswerHead,
    choices: readonly FullChoice[],
    usage: Usage,
    withLogProbs: boolean,
  ) => object;
}

export function usageOf(promptTokens: number, completionTokens: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

/** Shape of `/v1/completions`. */
export function completionShape(tokenizer: Tokenizer): AnswerShape {
  const object = "text_completion";
  const choiceOf = (
    index: number,
    { text, records, reason }: FullChoice,
    withLogProbs: boolean,
  ): object => ({
    index,
    text,
    logprobs: withLogProbs ? completionLogProbs(tokenizer, records) : null,
    finish_reason: reason,
  });
  return {
    opening: () => undefined,
    chunk: ({ id, created, model }, event, withLogProbs) => ({
      id,
      object,
      created,
      model,
      choices: [choiceOf(event.choice, choiceSoFar(event), withLogProbs)],
    }),
    usage: ({ id, created, model }, usage) => ({ id, object, created, model, choices: [], usage }),
    whole: ({ id, created, model }, choices, usage, withLogProbs) => ({
      id,
      object,
      created,
      model,
      choices: choices.map((choice, index) => choiceOf(index, choice, withLogProbs)),
      usage,
    }),
  };
}

/** Shape of `/v1/chat/completions`. */
export function chatShape(tokenizer: Tokenizer): AnswerShape {
  const object = "chat.completion.chunk";
  const logprobs = (records: readonly TokenRecord[], withLogProbs: boolean) =>
    withLogProbs ? { content: chatLogProbs(tokenizer, records), refusal: null } : null;
  return {
    opening: ({ id, created, model }, index) => {
      const delta = { role: "assistant", content: "" };
      const choices = [{ index, delta, logprobs: null, finish_reason: null }];
      return { id, object, created, model, choices };
    },
    chunk: ({ id, created, model }, { choice, text, records, finish }, withLogProbs) => {
      const delta = text === "" ? {} : { content: text };
      const finish_reason = finish?.reason ?? null;
      const rest = { delta, logprobs: logprobs(records, withLogProbs), finish_reason };
      return { id, object, created, model, choices: [{ index: choice, ...rest }] };
    },
    usage: ({ id, created, model }, usage) => ({ id, object, created, model, choices: [], usage }),
    whole: ({ id, created, model }, choices, usage, withLogProbs) => ({
      id,
      object: "chat.completion",
      created,
      model,
      choices: choices.map(({ text, records, reason }, index) => ({
        index,
        message: { role: "assistant", content: text, refusal: null },
        logprobs: logprobs(records, withLogProbs),
        finish_reason: reason,
      })),
      usage,
    }),
  };
}

function choiceSoFar({ text, records, finish }: ChoiceEvent): FullChoice {
  return { text, records: [...records], reason: finish?.reason ?? null };
}

function completionLogProbs(tokenizer: Tokenizer, records: readonly TokenRecord[]): object {
  const textOf = (id: number): string => tokenText(tokenizer, id).text;
  return {
    tokens: records.map(({ id }) => textOf(id)),
    token_logprobs: records.map(({ logProb }) => logProb),
    top_logprobs: records.map(({ top }) =>
      Object.fromEntries(top.map(({ id, logProb }) => [textOf(id), logProb])),
    ),
    text_offset: records.map(({ textOffset }) => textOffset),
  };
}

function chatLogProbs(tokenizer: Tokenizer, records: readonly TokenRecord[]): object[] {
  const entry = ({ id, logProb }: { readonly id: number; readonly logProb: number }) => {
    const { text, bytes } = tokenText(tokenizer, id);
    return { token: text, logprob: logProb, bytes };
  };
  return records.map((record) => ({ ...entry(record), top_logprobs: record.top.map(entry) }));
}

/** Text of one token; its bytes, unless the token is part of a character and its text does not tell them. */
function tokenText(
  tokenizer: Tokenizer,
  id: number,
): { readonly text: string; readonly bytes: number[] | null } {
  const text = tokenizer.decode([id], { keepSpecial: true });
  return { text, bytes: text.includes("\uFFFD") ? null : [...Buffer.from(text)] };
}
