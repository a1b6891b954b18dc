/**
 * Tokenizer of a checkpoint folder: a Hugging Face `tokenizer.json`, run by @huggingface/tokenizers.
 * Text is encoded without adding special tokens; special tokens are left out when decoding.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Tokenizer as HubTokenizer } from "@huggingface/tokenizers";
import { DataError, messageOf } from "../util/errors.ts";

/** Encoder and decoder of one vocabulary. */
export class Tokenizer {
  /** Contents of `tokenizer.json` and `tokenizer_config.json`, to be written beside a model. */
  readonly json: unknown;
  readonly configJson: unknown;
  readonly #hub: HubTokenizer;

  constructor(json: object, configJson: object) {
    this.json = json;
    this.configJson = configJson;
    this.#hub = new HubTokenizer(json, configJson);
  }

  /**
   * Reads `tokenizer.json` and `tokenizer_config.json` (may be missing) of a folder.
   * @throws DataError `model.bad_tokenizer`.
   */
  static async load(folder: string): Promise<Tokenizer> {
    const file = path.join(folder, "tokenizer.json");
    try {
      const json = JSON.parse(await readFile(file, "utf8")) as object;
      const configText = await readFile(path.join(folder, "tokenizer_config.json"), "utf8").catch(
        () => "{}",
      );
      return new Tokenizer(json, JSON.parse(configText) as object);
    } catch (cause) {
      throw new DataError(`loading the tokenizer "${file}": ${messageOf(cause)}`, {
        code: "model.bad_tokenizer",
        hint: "the folder must hold a tokenizer.json of the Hugging Face tokenizers library",
        cause,
      });
    }
  }

  /** Token ids of a text. */
  encode(text: string): number[] {
    return this.#hub.encode(text, { add_special_tokens: false }).ids;
  }

  /** Text of token ids, special tokens left out. */
  decode(ids: readonly number[]): string {
    return this.#hub.decode([...ids], {
      skip_special_tokens: true,
      clean_up_tokenization_spaces: false,
    });
  }

  /** Id of a token of the vocabulary, or undefined. */
  idOf(token: string): number | undefined {
    return this.#hub.token_to_id(token);
  }
}
