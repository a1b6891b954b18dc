/**
 * The stage graph of a study: which stages there are, what each reads, and where it writes.
 *
 *     puzzles -> priming -> sft -> rl -> completions -> behaviours -> analysis -> report
 *                \______ once per arm and seed ______________/
 *
 * Condition `none` has no priming and no sft: reinforcement learning starts from the base.
 */
import type { Arm, Study } from "./schema.ts";

/** Kinds of stages, in the order in which an arm passes through them. */
export const STAGE_KINDS = [
  "puzzles",
  "priming",
  "sft",
  "rl",
  "completions",
  "behaviours",
  "analysis",
  "report",
] as const;
export type StageKind = (typeof STAGE_KINDS)[number];

/** Where an input comes from: part of the output of another stage, or a base checkpoint. */
export type StageInput =
  | { readonly from: "stage"; readonly stage: string; readonly path: string }
  | { readonly from: "base"; readonly base: string };

/** One stage of one study. */
export interface Stage {
  /** Also its folder in the run folder: `puzzles`, `all_strategies/seed-1/rl`. */
  readonly id: string;
  readonly kind: StageKind;
  readonly arm?: string;
  readonly condition?: string;
  readonly seed?: number;
  /** Inputs by the name under which the stage function knows them. */
  readonly inputs: Readonly<Record<string, StageInput>>;
  /** Everything from the study file that the output depends on, and nothing else. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Every stage of a study, each after the stages that it reads. */
export function planStages(study: Study): Stage[] {
  const { sections } = study;
  const puzzles: Stage = { id: "puzzles", kind: "puzzles", inputs: {}, config: sections.task };
  const arms = study.arms.flatMap((arm) => study.seeds.map((seed) => planArm(study, arm, seed)));
  const everyStage = [puzzles, ...arms.flat()];
  const analysis: Stage = {
    id: "analysis",
    kind: "analysis",
    inputs: Object.fromEntries(everyStage.map((stage) => [stage.id, whole(stage.id)])),
    config: { name: study.name, arms: study.arms, seeds: study.seeds },
  };
  const report: Stage = {
    id: "report",
    kind: "report",
    inputs: { ...analysis.inputs, analysis: whole("analysis") },
    config: {
      ...sections,
      ...analysis.config,
      bases: Object.keys(study.bases),
      judges: study.judges,
    },
  };
  return [...everyStage, analysis, report];
}

function planArm(study: Study, arm: Arm, seed: number): Stage[] {
  const { sections } = study;
  const folder = `${arm.id}/seed-${seed}`;
  const common = { arm: arm.id, condition: arm.condition, seed };
  const base: StageInput = { from: "base", base: arm.base };
  const stages: Stage[] = [];
  const add = (
    kind: StageKind,
    inputs: Stage["inputs"],
    config: Readonly<Record<string, unknown>>,
  ): void => {
    stages.push({ id: `${folder}/${kind}`, kind, ...common, inputs, config });
  };
  let model: StageInput = base;
  if (arm.condition !== "none") {
    add(
      "priming",
      {
        train: part("puzzles", "priming_train.jsonl"),
        validation: part("puzzles", "priming_validation.jsonl"),
        base,
      },
      { ...sections.priming, condition: arm.condition },
    );
    add(
      "sft",
      {
        model: base,
        train: part(`${folder}/priming`, "train.jsonl"),
        validation: part(`${folder}/priming`, "validation.jsonl"),
      },
      sections.sft,
    );
    model = part(`${folder}/sft`, sections.sft.use === "best" ? "best" : "model");
  }
  add("rl", { model, puzzles: part("puzzles", "rl.jsonl") }, sections.rl);
  add(
    "completions",
    { checkpoints: part(`${folder}/rl`, "checkpoints"), puzzles: part("puzzles", "test.jsonl") },
    sections.completions,
  );
  add("behaviours", { completions: whole(`${folder}/completions`) }, { judges: study.judges });
  return stages;
}

/** Ids of the stages that a stage reads. */
export function dependenciesOf(stage: Stage): string[] {
  const inputs = Object.values(stage.inputs);
  return [...new Set(inputs.flatMap((input) => (input.from === "stage" ? [input.stage] : [])))];
}

function part(stage: string, path: string): StageInput {
  return { from: "stage", stage, path };
}

function whole(stage: string): StageInput {
  return part(stage, "");
}
