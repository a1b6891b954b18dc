import { describe, expect, it } from "vitest";
import { createIo, type TextSink } from "./io.ts";
import { formatBytes, formatDuration, formatNumber, formatProgress } from "./progress-text.ts";

class Sink implements TextSink {
  readonly isTTY: boolean;
  readonly columns = 60;
  text = "";
  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

function terminal(options: { json?: boolean; isTTY?: boolean } = {}) {
  const clock = { timeMs: 0 };
  const stdout = new Sink(false);
  const stderr = new Sink(options.isTTY ?? false);
  const io = createIo({
    json: options.json ?? false,
    signal: new AbortController().signal,
    stdout,
    stderr,
    now: () => clock.timeMs,
  });
  return { io, stdout, stderr, clock };
}

describe("createIo", () => {
  it("writes one line of JSON and nothing else to stdout with --json", () => {
    const { io, stdout, stderr } = terminal({ json: true });
    io.print("working");
    io.result({ n: 1 }, "one");
    expect(stdout.text).toBe('{"n":1}\n');
    expect(stderr.text).toBe("working\n");
  });

  it("writes the lines of a result for people", () => {
    const { io, stdout } = terminal();
    io.result({ n: 1 }, ["one", "two"]);
    expect(stdout.text).toBe("one\ntwo\n");
  });

  it("off a terminal shows a line every ten seconds and the last one", () => {
    const { io, stderr, clock } = terminal();
    const show = io.progress("sft");
    for (let second = 0; second <= 25; second += 1) {
      clock.timeMs = second * 1000;
      show({ done: second, total: 25, unit: "steps" });
    }
    expect(stderr.text.split("\n")).toEqual([
      "sft  10/25 steps, 1/s, 15 s left",
      "sft  20/25 steps, 1/s, 5 s left",
      "sft  25/25 steps, 1/s",
      "",
    ]);
  });

  it("on a terminal writes over one line and cuts it to the width", () => {
    const { io, stderr, clock } = terminal({ isTTY: true });
    const show = io.progress("a label that is much longer than the terminal is wide, by far");
    show({ done: 0, total: 2, unit: "steps" });
    clock.timeMs = 1000;
    show({ done: 1, total: 2, unit: "steps" });
    io.print("note");
    expect(
      stderr.text
        .split("\r\x1b[K")
        .slice(1)
        .every((line) => line.length <= 60),
    ).toBe(true);
    expect(stderr.text.endsWith("\n")).toBe(true);
  });

  it("counts the rate from where a resumed stage began", () => {
    const { io, stderr, clock } = terminal();
    const show = io.progress("rl");
    show({ done: 80, total: 100, unit: "steps" });
    clock.timeMs = 10_000;
    show({ done: 90, total: 100, unit: "steps" });
    expect(stderr.text).toBe("rl  90/100 steps, 1/s, 10 s left\n");
  });
});

describe("text", () => {
  it.each([
    [0.4, "0 s"],
    [59.4, "59 s"],
    [59.6, "1 min 00 s"],
    [185, "3 min 05 s"],
    [3599.9, "1 h 00 min"],
    [7799, "2 h 10 min"],
    [Number.POSITIVE_INFINITY, "?"],
  ])("says %d seconds as %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
  it.each([
    [512, "512 B"],
    [3_400_000, "3.40 MB"],
    [999_999, "1.00 MB"],
  ])("says %d bytes as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
  it.each([
    [12_345, "12,345"],
    [0.5, "0.50"],
    [0.123, "0.123"],
    [0.0001, "1.0e-4"],
    [42.25, "42.3"],
  ])("says the number %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
  it("puts metrics behind the progress", () => {
    const metrics = { reward: 0.5 };
    expect(formatProgress("rl", { done: 1, total: 2, unit: "steps", metrics }, 0.5)).toBe(
      "rl  1/2 steps, 0.50/s, 2 s left  reward 0.50",
    );
  });
});
