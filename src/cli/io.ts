/**
 * What a command may do with the terminal. Results go to stdout; progress and notes go to stderr, so that `--json`
 * output can be piped. On a terminal, progress is one line that is written over; elsewhere a plain line every ten
 * seconds and one at the end.
 */
import type { Progress } from "../util/progress.ts";
import { formatProgress, progressRate } from "./progress-text.ts";

/** The terminal as a command sees it. */
export interface CommandIo {
  /** True with `--json`: only `result` writes to stdout. */
  readonly json: boolean;
  /** Aborted by Ctrl-C; pass it to every stage. */
  readonly signal: AbortSignal;
  /** One line for people: stdout, or stderr with `--json`. */
  print(line: string): void;
  /** The outcome: one line of JSON with `--json`, otherwise the given lines, if any. */
  result(value: unknown, lines?: string | readonly string[]): void;
  /** Starts a progress display; call the function with each point of progress. */
  progress(label: string): (progress: Progress) => void;
}

/** The part of a write stream that is used here. */
export interface TextSink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Where text goes and what time it is. */
export interface IoOptions {
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

const TTY_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;

/** Makes the terminal of one command run. */
export function createIo(options: IoOptions): CommandIo {
  const { json, signal, stdout, stderr, now } = options;
  let open = false; // a progress line stands on the terminal and must be ended before other text
  const endLine = (): void => {
    if (open) stderr.write("\n");
    open = false;
  };
  const print = (line: string): void => {
    endLine();
    (json ? stderr : stdout).write(`${line}\n`);
  };
  return {
    json,
    signal,
    print,
    result(value, lines = []) {
      endLine();
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
      else for (const line of typeof lines === "string" ? [lines] : lines) print(line);
    },
    progress(label) {
      let first: Progress | undefined;
      let startedAt = 0;
      let shownAt = Number.NEGATIVE_INFINITY;
      return (progress) => {
        const time = now();
        if (first === undefined) {
          first = progress;
          startedAt = time;
          if (stderr.isTTY !== true) shownAt = time;
        }
        const finished = progress.done >= progress.total;
        const interval = stderr.isTTY === true ? TTY_INTERVAL_MS : PLAIN_INTERVAL_MS;
        if (!finished && time - shownAt < interval) return;
        shownAt = time;
        const rate = progressRate(first, progress, (time - startedAt) / 1000);
        const line = formatProgress(label, progress, rate);
        if (stderr.isTTY !== true) {
          stderr.write(`${line}\n`);
          return;
        }
        stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
        open = true;
        if (finished) endLine();
      };
    },
  };
}
