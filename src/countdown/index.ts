/** The Countdown task: score an answer, solve and generate puzzles, render prompts. */
export {
  type EnumerateOptions,
  enumerateExpressions,
  type ValuedExpression,
} from "./enumerate.ts";
export {
  type Expression,
  expressionSteps,
  formatExpression,
  type Operator,
  parseEquation,
  type Step,
} from "./expression.ts";
export {
  type GeneratorOptions,
  generatePuzzles,
  generateSplits,
  type SplitSizes,
} from "./generator.ts";
export {
  LEGACY_REASONS,
  type LegacyOptions,
  type LegacyReason,
  scoreLegacy,
} from "./legacy-scorer.ts";
export { makePuzzle, type Puzzle, puzzleId } from "./puzzle.ts";
export { readPuzzles, writePuzzles } from "./puzzle-file.ts";
export { isSolvable } from "./reachable.ts";
export { type ScoreFileOptions, type ScoreFileSummary, scoreFile } from "./score-file.ts";
export {
  FORMAT_SCORE,
  lastAnswer,
  SCORE_REASONS,
  type Score,
  type ScoreOptions,
  type ScoreReason,
  scoreCompletion,
  type Task,
} from "./scorer.ts";
export {
  countSolutions,
  type Difficulty,
  difficulty,
  type NumbersProfile,
  profileNumbers,
  solve,
} from "./solver.ts";
export { loadTemplate, type PromptTemplate, renderPrompt } from "./template.ts";
