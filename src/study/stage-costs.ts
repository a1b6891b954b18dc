/**
 * Expected time and size of the real stages. The seconds a unit were measured on one core of a 2-core server with the
 * tiny bases (0.6M parameters); a run replaces them by its own measurements as its stages end.
 */
import type { Stage } from "./plan.ts";
import type { CostContext, StageCost, StageTable } from "./stage-table.ts";

type Costs = {
  readonly [Kind in keyof StageTable]: Pick<StageTable[Kind], "cost" | "secondsPerUnit">;
};

/** Share of the token limit that a response of an arm fills, roughly: habits make long responses. */
function lengthShare(stage: Stage): number {
  switch (stage.condition) {
    case "none":
      return 0.15;
    case "empty_cot":
      return 0.1;
    case "negative_control":
      return 0.15;
    default:
      return 0.6;
  }
}

const number = (config: Readonly<Record<string, unknown>>, key: string): number =>
  typeof config[key] === "number" ? config[key] : 1;

function checkpointCount({ study }: CostContext): number {
  const { rl } = study.sections;
  return 1 + Math.ceil(number(rl, "steps") / number(rl, "checkpointEvery"));
}

function completionCount(context: CostContext): number {
  const { task, completions } = context.study.sections;
  const { test } = task.puzzles as { test: number };
  const puzzles = Math.min(number({ puzzles: test, ...completions }, "puzzles"), test);
  return checkpointCount(context) * puzzles * number(completions, "samples");
}

/** Tokens of the responses of reinforcement learning. */
function rolloutTokens(stage: Stage): number {
  const { config } = stage;
  const rollouts =
    number(config, "steps") * number(config, "promptsPerStep") * number(config, "samplesPerPrompt");
  return rollouts * number(config, "maxNewTokens") * lengthShare(stage);
}

function primingTokens(context: CostContext): number {
  const { priming } = context.study.sections;
  return number(priming, "train") * number(priming, "maxTokens") * 0.6;
}

const once: StageCost = { units: 1, bytes: 1_000_000 };

export const stageCosts: Costs = {
  puzzles: { secondsPerUnit: 2, cost: () => once },
  priming: {
    secondsPerUnit: 2e-3,
    cost: (stage) => {
      const traces = number(stage.config, "train") + number(stage.config, "validation");
      return { units: traces, bytes: traces * 2_000 };
    },
  },
  sft: {
    secondsPerUnit: 1 / 6_000, // training tokens
    cost: (stage, context) => ({
      units: number(stage.config, "epochs") * primingTokens(context),
      bytes: context.modelBytes,
    }),
  },
  rl: {
    secondsPerUnit: 1 / 2_500, // sampled tokens, trained on twice
    cost: (stage, context) => ({
      units: rolloutTokens(stage),
      // One checkpoint each, and while it runs the trainer state: weights and two moments of policy and critic.
      bytes: (checkpointCount(context) + 6) * context.modelBytes,
    }),
  },
  completions: {
    secondsPerUnit: 1 / 8_000, // sampled tokens
    cost: (stage, context) => {
      const rows = completionCount(context);
      const tokens = number(stage.config, "maxNewTokens") * lengthShare(stage);
      return { units: rows * tokens, bytes: rows * (400 + 3 * tokens) };
    },
  },
  behaviours: {
    secondsPerUnit: 2e-4,
    cost: (_stage, context) => ({
      units: completionCount(context),
      bytes: completionCount(context) * 600,
    }),
  },
  analysis: { secondsPerUnit: 5, cost: () => once },
  report: { secondsPerUnit: 5, cost: () => ({ units: 1, bytes: 3_000_000 }) },
};
