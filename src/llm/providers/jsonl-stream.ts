/** Lines of a stream that somebody else writes: UTF-8, of bounded length, the last one possibly torn. */

/** A line, or what is left of it. */
export interface StreamLine {
  readonly text: string;
  /** `long`: cut at the bound. `torn`: the stream ended before a line feed, and what is there is not whole JSON. */
  readonly damage?: "long" | "torn";
}

const LINE_FEED = 10;
/** Longest line that is kept; chosen by us, as the longest body of a direct answer. */
const MAX_LINE_BYTES = 64 << 20;

/** Yields the lines of a stream of bytes; blank ones are passed over. */
export async function* streamLines(
  stream: AsyncIterable<Uint8Array>,
  maxLineBytes = MAX_LINE_BYTES,
): AsyncGenerator<StreamLine> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array): void => {
    if (length < maxLineBytes) parts.push(bytes.subarray(0, maxLineBytes - length));
    length += bytes.length;
  };
  const take = (): StreamLine => {
    const text = Buffer.concat(parts).toString("utf8");
    const line: StreamLine =
      length > maxLineBytes ? { text: text.slice(0, 200), damage: "long" } : { text };
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of stream) {
    let bytes = chunk;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      add(bytes.subarray(0, end));
      const line = take();
      if (line.text.trim() !== "") yield line;
      bytes = bytes.subarray(end + 1);
    }
    add(bytes);
  }
  if (length === 0) return;
  const last = take();
  if (last.text.trim() === "") return;
  yield last.damage === undefined && !isJson(last.text) ? { ...last, damage: "torn" } : last;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the answer to the question
  }
}
