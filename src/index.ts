/**
 * The library. Every stage is a function of one argument object: paths of its inputs, the folder it writes to, its
 * configuration, a seed, and optionally a signal and a progress callback. The commands and the study runner call the same
 * functions. A configuration is validated by the schema of the same name, which also fills in the defaults.
 */

// Analysis and report: the comparison of the arms of a run, and the page that shows it.
export { type CompareOptions, compareRun } from "./analysis/compare.ts";
export { type Comparison, comparisonSchema } from "./analysis/comparison-schema.ts";
// Behaviours: the four habits in any text, with the place of each instance.
export { DEFINITIONS } from "./behaviours/definitions.ts";
export { type DetectOptions, detectBehaviours } from "./behaviours/detect.ts";
export { type JudgeExactOptions, judgeExact } from "./behaviours/judge-exact.ts";
// Countdown: puzzles, their solutions, prompts, and the score of an answer.
export {
  difficulty,
  formatExpression,
  type GeneratorOptions,
  generatePuzzles,
  generateSplits,
  readPuzzles,
  renderPrompt,
  type Score,
  scoreCompletion,
  scoreLegacy,
  solve,
  writePuzzles,
} from "./countdown/index.ts";
// Rows of every file that one stage hands to another.
export { readJsonl, writeJsonl } from "./data/jsonl.ts";
export {
  BEHAVIOURS,
  type Behaviour,
  type BehaviourCells,
  type BehaviourRow,
  behaviourRowSchema,
  CONDITIONS,
  type Completion,
  type Condition,
  completionSchema,
  type Puzzle,
  puzzleSchema,
  type Trace,
  traceSchema,
} from "./data/rows.ts";
// Model: Hugging Face checkpoint folders and batched sampling.
export { type LanguageModel, loadCheckpoint, saveCheckpoint } from "./model/checkpoint.ts";
export {
  type SampledSequence,
  type SampleOptions,
  type SampleRequest,
  Sampler,
} from "./model/sampler.ts";
export { sampleRequests } from "./model/sampling/requests.ts";
export { Tokenizer } from "./model/tokenizer.ts";
// Priming: traces of every condition.
export {
  generatePriming,
  type PrimingArguments,
  type PrimingConfig,
  primingConfigSchema,
} from "./priming/generate.ts";
export { Random } from "./random/random.ts";
export { type WriteReportOptions, writeReport } from "./report/write-report.ts";
// Sampling: scored completions of a checkpoint.
export {
  type CompleteArguments,
  type CompleteConfig,
  completeCheckpoint,
  completeConfigSchema,
} from "./sampling/complete.ts";
// Study: all of it from one file, in worker threads, resumable.
export { builtinBase } from "./study/bases.ts";
export { type Executor, inlineExecutor } from "./study/executor.ts";
export { findStudy } from "./study/presets.ts";
export { type RunStudyOptions, runStudy, type StudyEvent, type StudyResult } from "./study/run.ts";
export { parseStudy, type Study } from "./study/schema.ts";
export { STUDY_SECTIONS } from "./study/sections.ts";
export { stages, startWorkers } from "./study/stages.ts";
export { forecastStudy, listRuns } from "./study/status.ts";
// Training: supervised fine-tuning, PPO and GRPO.
export { type GrpoConfig, grpoConfigSchema } from "./training/grpo/config.ts";
export { type GrpoArguments, runGrpo } from "./training/grpo/grpo.ts";
export { type PpoConfig, ppoConfigSchema } from "./training/ppo/config.ts";
export { type PpoArguments, runPpo } from "./training/ppo/ppo.ts";
export { type SftConfig, sftConfigSchema } from "./training/sft/config.ts";
export { runSft, type SftArguments } from "./training/sft/sft.ts";
export {
  DataError,
  HabitsError,
  InternalError,
  RunError,
  UsageError,
} from "./util/errors.ts";
export type { Progress, StageContext } from "./util/progress.ts";
