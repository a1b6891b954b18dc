/**
 * Writes a synthetic run folder with the layout and the row schemas of a real one, so that comparison and report can be
 * tested without training. Accuracies and habit rates follow fixed curves per condition plus seeded noise; texts are
 * assembled from short sentences whose habit spans are known by construction.
 */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { toJsonl } from "../../src/data/jsonl.ts";
import {
  BEHAVIOURS,
  type Behaviour,
  type BehaviourCells,
  type BehaviourRow,
  CONDITIONS,
  type Completion,
  type Span,
  type Trace,
} from "../../src/data/rows.ts";
import { Random } from "../../src/random/random.ts";

export interface SyntheticArm {
  readonly id: string;
  readonly condition: string;
  readonly base: string;
}

export interface SyntheticRunOptions {
  readonly folder: string;
  readonly arms?: readonly SyntheticArm[];
  readonly seeds?: readonly number[];
  readonly steps?: readonly number[];
  readonly puzzles?: number;
  readonly traces?: number;
  /** Replaces the text of one completion; called for each. */
  readonly text?: (arm: SyntheticArm, step: number, index: number) => string | undefined;
}

/** Every condition on tiny-plain, and the unprimed tiny-habits. */
export const ALL_ARMS: readonly SyntheticArm[] = [
  ...CONDITIONS.map((condition) => ({ id: condition, condition, base: "tiny-plain" })),
  { id: "tiny-habits-none", condition: "none", base: "tiny-habits" },
];

/** Accuracy before and after, tokens before and after, and which habits the arm shows. */
interface Shape {
  readonly accuracy: readonly [number, number];
  readonly tokens: readonly [number, number];
  readonly habits: readonly Behaviour[];
}

const ALL: readonly Behaviour[] = BEHAVIOURS;
const SHAPES: Readonly<Record<string, Shape>> = {
  none: { accuracy: [0.03, 0.11], tokens: [26, 20], habits: [] },
  negative_control: { accuracy: [0.18, 0.27], tokens: [30, 22], habits: [] },
  only_backtracking: { accuracy: [0.2, 0.62], tokens: [90, 150], habits: ["backtracking"] },
  backtracking_verification: {
    accuracy: [0.22, 0.68],
    tokens: [100, 160],
    habits: ["backtracking", "verification"],
  },
  backtracking_subgoal: {
    accuracy: [0.17, 0.6],
    tokens: [105, 155],
    habits: ["backtracking", "subgoal_setting"],
  },
  backtracking_backward: {
    accuracy: [0.19, 0.64],
    tokens: [98, 140],
    habits: ["backtracking", "backward_chaining"],
  },
  all_strategies: { accuracy: [0.21, 0.66], tokens: [120, 150], habits: ALL },
  incorrect_only: { accuracy: [0.02, 0.63], tokens: [118, 155], habits: ALL },
  empty_cot: { accuracy: [0.15, 0.24], tokens: [14, 13], habits: [] },
  length_matched: { accuracy: [0.1, 0.2], tokens: [118, 70], habits: [] },
};
const RICH_BASE: Shape = {
  accuracy: [0.05, 0.34],
  tokens: [40, 80],
  habits: ["verification", "backtracking"],
};

/** Writes the run and returns its folder. */
export async function writeSyntheticRun(options: SyntheticRunOptions): Promise<string> {
  const arms = options.arms ?? ALL_ARMS;
  const seeds = options.seeds ?? [1, 2, 3];
  const steps = options.steps ?? [0, 20, 40, 60, 80, 100];
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "study.yaml"), studyYaml(arms, seeds, steps));
  await writeFile(path.join(folder, "manifest.json"), JSON.stringify(MANIFEST));
  for (const arm of arms) {
    for (const seed of seeds) {
      const home = path.join(folder, arm.id, `seed-${seed}`);
      for (const sub of ["completions", "behaviours", "rl", "priming"]) {
        await mkdir(path.join(home, sub), { recursive: true });
      }
      const shape = arm.base === "tiny-habits" ? RICH_BASE : (SHAPES[arm.condition] as Shape);
      for (const step of steps) {
        const rows = stepRows(options, arm, shape, seed, step, steps.at(-1) as number);
        const name = `step-${String(step).padStart(6, "0")}.jsonl`;
        await writeFile(path.join(home, "completions", name), toJsonl(rows.completions));
        await writeFile(path.join(home, "behaviours", name), toJsonl(rows.behaviours));
      }
      await writeFile(
        path.join(home, "rl", "metrics.jsonl"),
        toJsonl(metricRows(arm, shape, seed, steps)),
      );
      if (arm.condition !== "none") {
        const traces = traceRows(arm, shape, seed, options.traces ?? 200);
        await writeFile(path.join(home, "priming", "train.jsonl"), toJsonl(traces));
      }
    }
  }
  return folder;
}

const MANIFEST = {
  state: "finished",
  createdAt: "2025-01-01T00:00:00Z",
  package: { name: "four-habits", version: "0.1.0" },
  versions: { node: "v20.19.0" },
  git: { commit: "0123abcd", dirty: false },
  machine: { host: "a-host" },
};

function studyYaml(
  arms: readonly SyntheticArm[],
  seeds: readonly number[],
  steps: readonly number[],
) {
  const lines = arms.map((a) => `  - {id: ${a.id}, condition: ${a.condition}, base: ${a.base}}`);
  return `name: synthetic
seeds: [${seeds.join(", ")}]
countdown: {numbers: 3, largest: 13, target: [10, 99]}
sampling: {temperature: 1, max_tokens: 240}
sft: {traces: 1000, epochs: 4, learning_rate: 0.001}
ppo: {steps: ${steps.at(-1)}, rollouts: 256, learning_rate: 0.0004, clip_ratio: 0.2, kl_coefficient: 0.02}
bases:
${[...new Set(arms.map((arm) => arm.base))].map((base) => `  ${base}: builtin`).join("\n")}
arms:
${lines.join("\n")}
`;
}

/** Saturating growth from 0 to 1, half way at a fifth of the run. */
function progressOf(step: number, last: number): number {
  return last === 0 ? 0 : (1 - Math.exp((-3.5 * step) / last)) / (1 - Math.exp(-3.5));
}

function blend([from, to]: readonly [number, number], at: number): number {
  return from + (to - from) * at;
}

interface Text {
  readonly generated: string;
  readonly cells: BehaviourCells;
}

function stepRows(
  options: SyntheticRunOptions,
  arm: SyntheticArm,
  shape: Shape,
  seed: number,
  step: number,
  last: number,
): { completions: Completion[]; behaviours: BehaviourRow[] } {
  const completions: Completion[] = [];
  const behaviours: BehaviourRow[] = [];
  const random = Random.of(`synthetic/${arm.id}/${seed}/${step}`);
  const drift = 0.025 * Random.of(`synthetic/${arm.id}/${seed}`).normal();
  const at = progressOf(step, last);
  const accuracy = Math.min(0.98, Math.max(0.005, blend(shape.accuracy, at) + drift));
  for (let index = 0; index < (options.puzzles ?? 64); index += 1) {
    const numbers = [2 + (index % 9), 3 + ((index * 7) % 10), 4 + ((index * 5) % 9)];
    const target = 10 + ((index * 37) % 90);
    const correct = random.chance(accuracy);
    const truncated = !correct && random.chance(shape.habits.length > 0 ? 0.3 * at : 0.01);
    const tokens = Math.max(
      6,
      Math.round(blend(shape.tokens, at) * (0.6 + 0.8 * random.uniform())),
    );
    const answer = truncated ? null : `${numbers[0]} * ${numbers[1]} - ${numbers[2]}`;
    const made = writeText(
      shape,
      { numbers, target, tokens, answer, filler: arm.condition === "length_matched" },
      random,
    );
    const replaced = options.text?.(arm, step, index);
    const common = { puzzle_id: `puzzle-${String(index).padStart(4, "0")}`, step, sample: 0 };
    completions.push({
      ...common,
      index,
      seed,
      prompt: `Use ${numbers.join(", ")} to make ${target}.\n<think>`,
      generated: replaced ?? made.generated,
      score: correct ? 1 : answer === null ? 0 : 0.1,
      correct,
      answer,
      stop_reason: truncated ? "length" : "stop",
      tokens: truncated ? 240 : tokens,
      ground_truth: { target, numbers },
    });
    behaviours.push({ ...common, judge: "exact", ...made.cells });
  }
  return { completions, behaviours };
}

interface TextPlan {
  readonly numbers: readonly number[];
  readonly target: number;
  readonly tokens: number;
  readonly answer: string | null;
  readonly filler: boolean;
}

/** A thought of roughly the planned length whose sentences show the habits of the arm. */
function writeText(shape: Shape, plan: TextPlan, random: Random): Text {
  const spans: Record<Behaviour, Span[]> = {
    verification: [],
    backtracking: [],
    subgoal_setting: [],
    backward_chaining: [],
  };
  let text = "";
  const [a = 0, b = 0, c = 0] = plan.numbers;
  const say = (sentence: string, habit?: Behaviour, valid?: boolean): void => {
    text += " ";
    const start = text.length;
    text += sentence;
    if (habit !== undefined && shape.habits.includes(habit)) {
      spans[habit].push({ start, end: text.length, ...(valid === undefined ? {} : { valid }) });
    }
  };
  if (shape.habits.length > 0) {
    if (shape.habits.includes("backward_chaining")) {
      say(
        `To get ${plan.target} at the end I need ${plan.target} + ${c} = ${plan.target + c} before.`,
        "backward_chaining",
      );
    }
    for (let attempt = 0; attempt * 24 < plan.tokens; attempt += 1) {
      if (shape.habits.includes("subgoal_setting") && random.chance(0.5)) {
        say(`First I aim for ${a + b + attempt}.`, "subgoal_setting");
      }
      const value = a * b - c + attempt;
      say(`${a} * ${b} = ${a * b} , ${a * b} - ${c} = ${value}`);
      if (shape.habits.includes("verification")) {
        say(`${value} is not ${plan.target} .`, "verification", value !== plan.target);
      }
      say("Back to the numbers.", "backtracking");
    }
  } else if (plan.filler) {
    say(". ".repeat(Math.max(1, plan.tokens - 8)).trim());
  } else if (plan.tokens > 16) {
    say(`${a} * ${b} - ${c} = ${a * b - c}`);
  }
  const end = plan.answer === null ? "" : `</think>\n<answer> ${plan.answer} </answer>`;
  const cells = Object.fromEntries(
    BEHAVIOURS.map((name) => [name, { count: spans[name].length, spans: spans[name] }]),
  ) as BehaviourCells;
  return { generated: text + end, cells };
}

function metricRows(arm: SyntheticArm, shape: Shape, seed: number, steps: readonly number[]) {
  const random = Random.of(`metrics/${arm.id}/${seed}`);
  const last = steps.at(-1) as number;
  return Array.from({ length: last }, (_, i) => {
    const at = progressOf(i + 1, last);
    const noise = (size: number): number => size * random.normal();
    return {
      step: i + 1,
      "rollout/score": blend(shape.accuracy, at) + 0.08 + noise(0.02),
      "rollout/accuracy": blend(shape.accuracy, at) + noise(0.02),
      "rollout/response_length": blend(shape.tokens, at) + noise(3),
      "policy/entropy": 0.9 - 0.5 * at + noise(0.02),
      "policy/approx_kl": 0.01 + 0.005 * at + noise(0.001),
      "kl/reference": 0.4 * at + noise(0.01),
      "value/explained_variance": -0.1 + 0.7 * at + noise(0.05),
      "loss/value": 0.2 - 0.1 * at + noise(0.01),
    };
  });
}

/** Traces whose puzzles, answers and lengths match over the conditions as the real ones do. */
function traceRows(arm: SyntheticArm, shape: Shape, seed: number, n: number): Trace[] {
  const random = Random.of(`traces/${arm.condition}/${seed}`);
  return Array.from({ length: n }, (_, i) => {
    const shared = Random.of(`trace-length/${seed}/${i}`);
    const allLength = 60 + Math.round(120 * shared.uniform() ** 1.5);
    const matched = arm.condition === "length_matched" || arm.condition === "all_strategies";
    const own = Math.round(shape.tokens[0] * (0.7 + 0.6 * random.uniform()));
    const tokens = matched ? allLength : arm.condition === "empty_cot" ? 14 : own;
    const numbers = [2 + (i % 9), 5, 7];
    const cells = Object.fromEntries(
      BEHAVIOURS.map((name) => {
        const count = shape.habits.includes(name) ? 2 : 0;
        return [name, { count, spans: [] as Span[] }];
      }),
    ) as BehaviourCells;
    return {
      query: `Use ${numbers.join(", ")} to make 40.\n<think>`,
      completion: " </think>\n<answer> 1 </answer>",
      condition: arm.condition,
      puzzle_id: `train-${seed}-${i}`,
      numbers,
      target: 40,
      correct: arm.condition !== "incorrect_only",
      answer: arm.condition === "incorrect_only" ? `${i} + 1` : `${numbers[0]} * 5 + 7`,
      source: "teacher",
      tokens,
      record: cells,
    };
  });
}
