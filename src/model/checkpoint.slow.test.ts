/**
 * Checkpoints saved here, after training here, read by Python transformers: equal logits and equal greedy text in every number
 * type. Needs Python with torch and transformers; passes over with a message where it is missing.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import "../../test/matchers.ts";
import { CHECKPOINTS } from "../../test/golden.ts";
import {
  compile,
  differentiate,
  GraphBuilder,
  gatherLast,
  logSoftmax,
  sum,
} from "../engine/index.ts";
import { type LanguageModel, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { CHECKPOINT_DTYPES } from "./dtype.ts";
import { languageModelSpecs } from "./parameters.ts";
import { Sampler } from "./sampler.ts";
import { declareParameters, logitsOf, trunk } from "./transformer.ts";

const SCRIPT = `
import json, sys, torch
from transformers import AutoModelForCausalLM
folder, tokens = sys.argv[1], json.loads(sys.argv[2])
stored = AutoModelForCausalLM.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
ids = torch.tensor([tokens])
with torch.no_grad():
    logits = model(ids).logits[0]
    greedy = model.generate(ids, max_new_tokens=24, do_sample=False)[0, len(tokens):].tolist()
print(json.dumps({"dtype": str(stored.dtype), "logits": logits.flatten().tolist(), "greedy": greedy}))
`;

function missingPython(): string | undefined {
  try {
    execFileSync("python3", ["-c", "import torch, transformers"], { stdio: "pipe" });
    return undefined;
  } catch {
    return "Python with torch and transformers is not installed: saved checkpoints are not checked against transformers";
  }
}

const missing = missingPython();
if (missing !== undefined) console.warn(missing);

const TOKENS = [7, 3, 11, 40, 2, 19, 5, 5, 30];

/** A step of gradient descent on every weight, so that none is as it was loaded. */
async function train(model: LanguageModel): Promise<void> {
  const T = TOKENS.length - 1;
  const graph = new GraphBuilder("train");
  const specs = languageModelSpecs(model.config);
  const weights = declareParameters(graph, specs);
  const hidden = trunk(graph, model.config, weights, graph.input("tokens", [1, T], "int32"));
  const logProbs = logSoftmax(logitsOf(model.config, weights, hidden));
  graph.output("loss", sum(gatherLast(logProbs, graph.input("targets", [1, T], "int32"))));
  const program = await compile(differentiate(graph.build(), { loss: "loss" }));
  const out = await program.run({
    ...model.parameters.views,
    tokens: Int32Array.from(TOKENS.slice(0, -1)),
    targets: Int32Array.from(TOKENS.slice(1)),
  });
  await program.dispose();
  for (const { name } of specs) {
    const gradient = out[`grad:${name}`] as Float32Array;
    model.parameters.views[name]!.forEach((_, i, view) => {
      view[i]! += 0.01 * gradient[i]!;
    });
  }
}

async function logitsAndText(model: LanguageModel) {
  const graph = new GraphBuilder("logits");
  const weights = declareParameters(graph, languageModelSpecs(model.config));
  const tokens = graph.input("tokens", [1, TOKENS.length], "int32");
  const hidden = trunk(graph, model.config, weights, tokens);
  graph.output("logits", logitsOf(model.config, weights, hidden));
  const program = await compile(graph.build());
  const feeds = { ...model.parameters.views, tokens: Int32Array.from(TOKENS) };
  const logits = (await program.run(feeds)).logits as Float32Array;
  await program.dispose();
  const sampler = new Sampler(model.config);
  const options = { seed: 1, maxNewTokens: 24, temperature: 0, batchSize: 1 };
  const requests = [{ promptIds: TOKENS, key: [0] }];
  const [sequence] = await sampler.sample(model.parameters, requests, options);
  await sampler.dispose();
  return { logits, greedy: sequence?.ids };
}

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), "saved-"));
  await writeFile(path.join(scratch, "read.py"), SCRIPT);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(["llama", "llama-grouped", "qwen2", "qwen3"])("%s", (name) => {
  test.skipIf(missing !== undefined).each(CHECKPOINT_DTYPES)(
    "trained here and saved in %s, it is the same model in transformers",
    async (dtype) => {
      const model = await loadCheckpoint(path.join(CHECKPOINTS, name));
      await train(model);
      const folder = path.join(scratch, `${name}-${dtype}`);
      await saveCheckpoint(folder, model, { dtype, maxShardBytes: 15_000 });
      const arguments_ = [path.join(scratch, "read.py"), folder, JSON.stringify(TOKENS)];
      const text = execFileSync("python3", arguments_, { stdio: ["ignore", "pipe", "pipe"] });
      const theirs = JSON.parse(text.toString().trim().split("\n").at(-1)!) as {
        dtype: string;
        logits: number[];
        greedy: number[];
      };
      const ours = await logitsAndText(await loadCheckpoint(folder));
      expect(theirs.dtype).toBe(`torch.${dtype}`);
      expect(ours.logits).toBeAllClose(theirs.logits, { relative: 0, absolute: 1e-4 });
      expect(ours.greedy).toEqual(theirs.greedy);
    },
  );
});
