/**
 * Decoding of tokens as they arrive: each call returns the text that is certain, never half of a character. For a byte-level
 * vocabulary the pieces joined are exactly the text of all tokens. Other decoders are run on a growing window, whose text is
 * withheld while it ends in U+FFFD, the mark of bytes that may become a character yet. One difference is left there: byte
 * fallback turns a whole run of byte tokens into U+FFFD when its last character is incomplete, a stream only that character.
 */

/** A stream of text out of a stream of token ids. */
export interface TokenStream {
  /** Text that the token completes; often empty inside a character of several tokens. */
  push(id: number): string;
  /** What is left at the end: U+FFFD for bytes that never became a character. */
  end(): string;
}

/** Stream over the bytes of tokens. */
export function byteStream(bytesOf: (id: number) => Uint8Array | undefined): TokenStream {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push(id) {
      const bytes = bytesOf(id);
      return bytes === undefined ? "" : decoder.decode(bytes, { stream: true });
    },
    end: () => decoder.decode(),
  };
}

/** Stream over any decoder of whole lists; `decode` is called on the tokens since the last certain text and those before it. */
export function windowStream(decode: (ids: readonly number[]) => string): TokenStream {
  let context: number[] = [];
  let open: number[] = [];
  let before = "";
  const advance = (isEnd: boolean): string => {
    const text = decode([...context, ...open]);
    if (text.length <= before.length || (!isEnd && text.endsWith("\ufffd"))) return "";
    const fresh = text.slice(before.length);
    // The tokens just written stay as context: a decoder may treat the first token of a list in its own way.
    context = open;
    open = [];
    before = decode(context);
    return fresh;
  };
  return {
    push(id) {
      open.push(id);
      return advance(false);
    },
    end: () => (open.length === 0 ? "" : advance(true)),
  };
}
