/**
 * Chat templates (Jinja source in `chat_template.jinja` or `tokenizer_config.json`), run by @huggingface/jinja and equal to
 * transformers' `apply_chat_template` (test/golden/tokenization.py).
 *
 * A template comes with a download and is not trusted: it can read nothing but the messages, and the work and the size of every
 * value are bounded. Messages are not trusted either: special tokens written in them stay text in `encode`.
 */
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { DataError, messageOf } from "../util/errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A message; fields beyond these, e.g. `tool_calls`, reach the template as they are. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string | readonly unknown[] | null;
}

export interface ChatOptions {
  /** Ends with the opening of the assistant's turn. Default true. */
  readonly addGenerationPrompt?: boolean;
  /** JSON schemas of the tools that the model may call. */
  readonly tools?: readonly object[];
  /** Date for templates that state it; without one they use their own fixed date. */
  readonly now?: Date;
  /** Further variables of the template, e.g. `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Characters of the longest text or list that a template may make; a context of a million tokens is shorter. */
const LONGEST_VALUE = 8_000_000;
/**
 * Units of work: one for each expression and each 256 characters or entries of its value, sixteen for each entry that a loop goes
 * over. Chosen by us: a chat of a thousand messages takes about a tenth of it, and all of it about half a second.
 */
const WORK_LIMIT = 1_000_000;
/** Characters that no text holds, for marks that are taken out again. */
const NONCHARACTERS = Array.from({ length: 32 }, (_, i) => String.fromCharCode(0xfdd0 + i));

interface Value {
  readonly type: string;
  readonly value: unknown;
}

/** The library's interpreter; its own types do not resolve under Node's rules for modules. */
const BaseInterpreter = Interpreter as unknown as new (
  environment: object,
) => { evaluate(node: SyntaxNode, environment: object): Value; run(program: unknown): Value };

class TooMuchWork extends Error {}
class RaisedByTemplate extends Error {}

interface SyntaxNode {
  readonly type: string;
  /** Of a loop: what it goes over; with a condition, an expression that holds it as `lhs`. */
  readonly iterable?: SyntaxNode;
  readonly lhs?: SyntaxNode;
}

/** Counts what a template does and stops it when that is too much. */
class BoundedInterpreter extends BaseInterpreter {
  #work = 0;
  readonly #iterables = new WeakSet<SyntaxNode>();

  override evaluate(node: SyntaxNode, environment: object): Value {
    if (node?.type === "For" && node.iterable !== undefined) {
      this.#iterables.add(node.iterable.lhs ?? node.iterable).add(node.iterable);
    }
    const result = super.evaluate(node, environment);
    const { value } = result;
    const size = typeof value === "string" || Array.isArray(value) ? value.length : 0;
    if (size > LONGEST_VALUE) {
      throw new TooMuchWork(`it makes a text or list of ${size} entries`);
    }
    this.#work += 1 + (this.#iterables.has(node) ? 16 * size : size / 256);
    if (this.#work > WORK_LIMIT) throw new TooMuchWork(`it takes more than ${WORK_LIMIT} steps`);
    return result;
  }
}

/** The chat template of one tokenizer. */
export class ChatTemplate {
  readonly #tokenizer: Tokenizer;
  readonly #program: unknown;

  /**
   * @param source a template to use instead of the tokenizer's own
   * @throws DataError `chat.no_template` where the checkpoint has none, `chat.bad_template` for one that is not Jinja
   */
  constructor(tokenizer: Tokenizer, source: string | undefined = tokenizer.chatTemplate) {
    if (source === undefined) {
      throw new DataError(
        "rendering a chat: expected a chat template, found none in chat_template.jinja or tokenizer_config.json of the checkpoint",
        {
          code: "chat.no_template",
          hint: "the model was not trained on chats: send a plain prompt (/v1/completions), or put the chat_template.jinja of its instruct version into the folder",
        },
      );
    }
    this.#tokenizer = tokenizer;
    try {
      this.#program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    } catch (cause) {
      throw brokenTemplate(cause);
    }
  }

  /**
   * Text of a chat, special tokens by their names.
   * @throws DataError `chat.rejected` when the template refuses the messages, `chat.bad_template` when it fails,
   * `chat.template_limit` when it does not come to an end
   */
  render(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    const environment = new Environment();
    for (const [name, value] of Object.entries(this.#variables(messages, options))) {
      environment.set(name, value);
    }
    try {
      const { value } = new BoundedInterpreter(environment).run(this.#program);
      return value as string;
    } catch (cause) {
      if (cause instanceof RaisedByTemplate) {
        throw new DataError(`rendering a chat: the template refuses it: ${cause.message}`, {
          code: "chat.rejected",
          hint: "send messages in the order and with the roles that the model was trained on",
          cause,
        });
      }
      if (cause instanceof TooMuchWork || cause instanceof RangeError) {
        throw new DataError(`rendering a chat: the template was stopped: ${cause.message}`, {
          code: "chat.template_limit",
          hint: "send a shorter chat; if it is short, the template of this checkpoint is broken or hostile",
          cause,
        });
      }
      throw brokenTemplate(cause);
    }
  }

  /**
   * Token ids of a chat. The names of special tokens are tokens where the template writes them, and text where a message does,
   * so that no message can end its own turn. The template writes the start token itself; none is added.
   * @throws DataError as `render`
   */
  encode(messages: readonly ChatMessage[], options: ChatOptions = {}): number[] {
    const { tools } = options;
    const input = JSON.stringify([messages, tools]);
    const mark = NONCHARACTERS.find((character) => !input.includes(character));
    if (mark === undefined) {
      throw new DataError("rendering a chat: its messages hold every noncharacter of Unicode", {
        code: "chat.rejected",
        hint: "remove the characters U+FDD0 to U+FDEF from the messages",
      });
    }
    const shield = <T>(value: T): T =>
      mapStrings(value, (text) => this.#tokenizer.shieldSpecial(text, mark));
    const shielded = tools === undefined ? options : { ...options, tools: shield(tools) };
    return this.#tokenizer.encodeShielded(this.render(shield(messages), shielded), mark);
  }

  #variables(messages: readonly ChatMessage[], options: ChatOptions): Record<string, unknown> {
    const { addGenerationPrompt = true, tools = null, now, variables = {} } = options;
    const { bos_token, eos_token, pad_token, unk_token } = this.#tokenizer.roles;
    const roles = Object.entries({ bos_token, eos_token, pad_token, unk_token });
    return {
      true: true,
      false: false,
      none: null,
      True: true,
      False: false,
      None: null,
      raise_exception: (message: unknown) => {
        throw new RaisedByTemplate(String(message));
      },
      range: boundedRange,
      ...(now === undefined ? {} : { strftime_now: (format: string) => strftime(now, format) }),
      ...Object.fromEntries(roles.filter(([, token]) => token !== undefined)),
      messages,
      tools,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
      ...variables,
    };
  }
}

function brokenTemplate(cause: unknown): DataError {
  return new DataError(`rendering a chat: the chat template does not work: ${messageOf(cause)}`, {
    code: "chat.bad_template",
    hint: "compare chat_template.jinja (or chat_template of tokenizer_config.json) with that of the original model",
    cause,
  });
}

/** Python's `range` for at most `LONGEST_VALUE / 8` numbers. */
function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (step === 0) throw new Error("range() with a step of 0");
  if (count > LONGEST_VALUE / 8) throw new TooMuchWork(`it counts to ${count}`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

const MONTHS =
  "January February March April May June July August September October November December";
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday";

/** The parts of Python's `strftime` that templates use. */
function strftime(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const month = MONTHS.split(" ")[date.getMonth()] as string;
  const day = DAYS.split(" ")[date.getDay()] as string;
  const parts: Record<string, string> = {
    Y: String(date.getFullYear()),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    H: two(date.getHours()),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    "%": "%",
  };
  return format.replace(/%(.)/gs, (text, letter: string) => {
    const part = parts[letter];
    if (part === undefined) throw new Error(`strftime_now: "${text}" is not supported`);
    return part;
  });
}

/** A JSON value with every string replaced, names of fields excepted. */
function mapStrings<T>(value: T, replace: (text: string) => string): T {
  if (typeof value === "string") return replace(value) as T;
  if (Array.isArray(value)) return value.map((entry) => mapStrings(entry, replace)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, mapStrings(entry, replace)]);
  return Object.fromEntries(entries) as T;
}
