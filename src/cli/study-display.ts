/**
 * The progress of a study. On a terminal: a block of one line for the whole and one for each running stage, written
 * over in place. Elsewhere: a line when a stage ends, and every 15 seconds a line for each running one.
 */
import type { StudyEvent, StudyView } from "../study/run.ts";
import type { Progress } from "../util/progress.ts";
import type { TextSink } from "./io.ts";
import { formatDuration, formatMetrics, formatProgress, progressRate } from "./progress-text.ts";

const TTY_INTERVAL_MS = 200;
const PLAIN_INTERVAL_MS = 15_000;

interface Running {
  readonly startedAt: number;
  first: Progress | undefined;
  firstAt: number;
  latest: Progress | undefined;
}

export interface StudyDisplay {
  onEvent(event: StudyEvent, view: StudyView): void;
  /** Takes the block off the terminal. */
  close(): void;
}

/**
 * Makes a display that writes to `sink`.
 * @param now milliseconds of a clock that never goes back
 */
export function createStudyDisplay(sink: TextSink, now: () => number): StudyDisplay {
  const running = new Map<string, Running>();
  const isTty = sink.isTTY === true;
  let blockLines = 0;
  let drawnAt = now();
  let kept = 0;

  const clear = (): void => {
    if (blockLines > 0) sink.write(`\x1b[${blockLines}A\x1b[J`);
    blockLines = 0;
  };
  const line = (text: string): void => {
    clear();
    sink.write(`${text}\n`);
  };
  const heading = (view: StudyView): string =>
    `${view.done()}/${view.total} stages, about ${formatDuration(view.remainingSeconds())} left`;
  const describe = (id: string, state: Running, time: number): string => {
    const { first, latest, firstAt } = state;
    if (first === undefined || latest === undefined) {
      return `${id}  ${formatDuration((time - state.startedAt) / 1000)}`;
    }
    return formatProgress(id, latest, progressRate(first, latest, (time - firstAt) / 1000));
  };
  const draw = (view: StudyView): void => {
    const time = now();
    if (time - drawnAt < (isTty ? TTY_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
    drawnAt = time;
    const lines = [heading(view)];
    for (const [id, state] of running) lines.push(`  ${describe(id, state, time)}`);
    clear();
    const width = isTty ? (sink.columns ?? 80) - 1 : Number.POSITIVE_INFINITY;
    sink.write(lines.map((text) => `${text.slice(0, width)}\n`).join(""));
    if (isTty) blockLines = lines.length;
  };
  const sayKept = (): void => {
    if (kept > 0) line(`kept ${kept} finished ${kept === 1 ? "stage" : "stages"}`);
    kept = 0;
  };

  return {
    onEvent(event, view) {
      switch (event.type) {
        case "note":
          line(event.text);
          break;
        case "planned":
          for (const { stage, state, reason } of event.assessments) {
            if (state === "stale") line(`${stage.id} runs again: ${reason}`);
          }
          break;
        case "kept":
          kept += 1;
          break;
        case "started":
          sayKept();
          running.set(event.stage.id, {
            startedAt: now(),
            first: undefined,
            firstAt: 0,
            latest: undefined,
          });
          break;
        case "progress": {
          const state = running.get(event.stage.id);
          if (state === undefined) break;
          if (state.first === undefined) {
            state.first = event.progress;
            state.firstAt = now();
          }
          state.latest = event.progress;
          break;
        }
        case "finished": {
          const latest = running.get(event.stage.id)?.latest;
          running.delete(event.stage.id);
          line(
            `${event.stage.id}  done in ${formatDuration(event.seconds)}${formatMetrics(latest)}`,
          );
          break;
        }
        case "failed":
          running.delete(event.stage.id);
          line(`${event.stage.id}  failed: ${(event.error as Error).message}`);
          break;
      }
      draw(view);
    },
    close() {
      sayKept();
      clear();
    },
  };
}
