/** `habits bench`: one command for each part whose speed is claimed somewhere. */
import { benchCountdown } from "./bench-countdown.ts";
import { benchJudge } from "./bench-judge.ts";
import { benchMemory } from "./bench-memory.ts";
import { benchDecode, benchPpo, benchTrain } from "./bench-model.ts";
import { commandGroup } from "./schema-command.ts";

/** `habits bench`. */
export const command = commandGroup("bench", "measure speed on this machine", [
  benchCountdown,
  benchJudge,
  benchTrain,
  benchDecode,
  benchPpo,
  benchMemory,
]);
