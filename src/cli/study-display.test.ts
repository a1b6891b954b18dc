import { expect, it } from "vitest";
import type { Stage } from "../study/plan.ts";
import type { StudyView } from "../study/run.ts";
import { createStudyDisplay } from "./study-display.ts";

const stage = { id: "none/seed-1/rl", kind: "rl", inputs: {}, config: {} } as Stage;
const view: StudyView = { total: 6, done: () => 2, remainingSeconds: () => 65 };

function display(isTTY: boolean) {
  const clock = { timeMs: 0 };
  let text = "";
  const sink = { isTTY, columns: 40, write: (part: string) => (text += part) };
  const shown = createStudyDisplay(sink, () => clock.timeMs);
  return { ...shown, clock, text: () => text };
}

const progress = (done: number) =>
  ({
    type: "progress",
    stage,
    progress: { done, total: 50, unit: "steps", metrics: { accuracy: 0.25 } },
  }) as const;

it("off a terminal writes a block every 15 seconds and a line when a stage ends", () => {
  const { onEvent, close, clock, text } = display(false);
  onEvent({ type: "kept", stage }, view);
  onEvent({ type: "kept", stage }, view);
  onEvent({ type: "started", stage }, view);
  for (let second = 1; second <= 20; second += 1) {
    clock.timeMs = second * 1000;
    onEvent(progress(second), view);
  }
  onEvent({ type: "finished", stage, seconds: 21 }, view);
  close();
  expect(text().split("\n")).toEqual([
    "kept 2 finished stages",
    "2/6 stages, about 1 min 05 s left",
    "  none/seed-1/rl  15/50 steps, 1/s, 35 s left  accuracy 0.25",
    "none/seed-1/rl  done in 21 s  accuracy 0.25",
    "",
  ]);
});

it("on a terminal writes over its block, cut to the width, and takes it away at the end", () => {
  const { onEvent, close, clock, text } = display(true);
  onEvent({ type: "started", stage }, view);
  clock.timeMs = 1000;
  onEvent(progress(1), view);
  clock.timeMs = 2000;
  onEvent(progress(2), view);
  close();
  const blocks = text().split("\x1b[2A\x1b[J"); // two lines up, clear to the end
  expect(blocks).toHaveLength(3);
  expect(blocks[2]).toBe("");
  for (const line of blocks.flatMap((block) => block.split("\n"))) {
    expect(line.length).toBeLessThan(40);
  }
});

it("says why a finished stage runs again, and what failed", () => {
  const { onEvent, text } = display(false);
  const assessments = [{ stage, state: "stale", reason: "steps: 20 -> 30" }] as const;
  onEvent({ type: "planned", assessments }, view);
  onEvent({ type: "failed", stage, error: new Error("not finite") }, view);
  expect(text()).toBe(
    "none/seed-1/rl runs again: steps: 20 -> 30\nnone/seed-1/rl  failed: not finite\n",
  );
});
