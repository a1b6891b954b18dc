/**
 * The parts of @huggingface/tokenizers that are used here, with types: the package's own declarations import each other without
 * file extensions, which TypeScript does not resolve under Node's rules for modules.
 */
import * as library from "@huggingface/tokenizers";

interface Decoder {
  (tokens: string[]): string;
  decode_chain(tokens: string[]): string[];
}

interface HubTokenizer {
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer:
    | ((text: string, options: { readonly section_index: number }) => string[])
    | null;
  readonly model: {
    (pieces: string[]): string[];
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token?: string | null;
  };
  readonly post_processor:
    | ((tokens: string[], pair: null, addSpecial: boolean) => { readonly tokens: string[] })
    | null;
  readonly decoder: Decoder | null;
}

interface Library {
  readonly Tokenizer: new (json: object, configJson: object) => HubTokenizer;
  readonly SplitPreTokenizer: new (json: object) => { readonly pattern: RegExp };
  readonly ByteFallbackDecoder: new (json: object) => Decoder;
  readonly SequenceDecoder: new (json: object) => Decoder & { readonly decoders: Decoder[] };
}

const { Tokenizer, SplitPreTokenizer, ByteFallbackDecoder, SequenceDecoder } =
  library as unknown as Library;

export type { HubTokenizer };
export { ByteFallbackDecoder, SequenceDecoder, SplitPreTokenizer, Tokenizer };
