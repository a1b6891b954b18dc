/** Golden values of test/golden/training.py, checkpoints.py and lora.py for the tests of model and training. */
import { readFileSync } from "node:fs";
import path from "node:path";

export const TINY_LLAMA = path.join(import.meta.dirname, "golden", "tiny-llama");

export interface TrainingGolden {
  readonly sequences: readonly (readonly number[])[];
  readonly promptLength: number;
  readonly logits_row2: readonly number[];
  readonly greedy: readonly number[];
  readonly adamw: {
    readonly losses: readonly number[];
    readonly norms: readonly number[];
    readonly final_down: readonly number[];
    readonly final_norm: readonly number[];
  };
  readonly policy: {
    readonly loss: number;
    readonly policy_loss: number;
    readonly entropy: number;
    readonly approx_kl: number;
    readonly clip_fraction: number;
    readonly gradient_norm: number;
    readonly old_log_prob: readonly number[];
    readonly advantage: readonly number[];
    readonly grad_q_proj: readonly number[];
    readonly grad_embed: readonly number[];
  };
  readonly value: {
    readonly head: readonly number[];
    readonly values: readonly number[];
    readonly old_value: readonly number[];
    readonly return: readonly number[];
    readonly loss: number;
    readonly value_clip_fraction: number;
    readonly grad_head: readonly number[];
    readonly grad_down: readonly number[];
  };
  readonly gae: {
    readonly rewards: readonly number[];
    readonly values: readonly number[];
    readonly gamma: number;
    readonly lambda: number;
    readonly advantages: readonly number[];
  };
}

export const trainingGolden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "golden", "training.json"), "utf8"),
) as TrainingGolden;

export const CHECKPOINTS = path.join(import.meta.dirname, "golden", "checkpoints");

/** Values of one checkpoint of test/golden/checkpoints.py. */
export interface VariantGolden {
  readonly dtype: "float32" | "float16" | "bfloat16";
  readonly frequencies: readonly number[];
  readonly texts: readonly (readonly number[])[];
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly (readonly number[])[];
  /** Logits of the first text as transformers computes them in the stored type. */
  readonly half?: readonly number[];
}

export const checkpointGolden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "golden", "checkpoints.json"), "utf8"),
) as { readonly variants: Readonly<Record<string, VariantGolden>> };

export const LORA_ADAPTER = path.join(import.meta.dirname, "golden", "lora-adapter");

export const loraGolden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "golden", "lora.json"), "utf8"),
) as {
  readonly tokens: readonly number[];
  readonly logits: readonly number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
};
