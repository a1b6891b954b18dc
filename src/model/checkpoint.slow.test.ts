/**
 * What is saved here, read by Python: checkpoints trained here in transformers, with equal logits and equal greedy text in every number
 * type, and an adapter in PEFT. Needs Python with torch, transformers and peft; passes over with a message where one is missing.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
import { Random } from "../random/random.ts";
import { type LanguageModel, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { CHECKPOINT_DTYPES } from "./dtype.ts";
import { adapterSpecs, type LoraSpec, mergeAdapters } from "./lora.ts";
import { languageModelSpecs, Parameters } from "./parameters.ts";
import { saveAdapter } from "./peft.ts";
import { Sampler } from "./sampler.ts";
import { declareParameters, logitsOf, trunk } from "./transformer.ts";

/** Reads every folder in one process: its imports take longer than all the rest. */
const SCRIPT = `
import json, sys, torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM
torch.set_num_threads(1)
request = json.load(open(sys.argv[1]))
ids = torch.tensor([request["tokens"]])

def values(model):
    with torch.no_grad():
        logits = model(ids).logits[0]
        greedy = model.generate(input_ids=ids, max_new_tokens=24, do_sample=False)[0, ids.shape[1]:].tolist()
    return {"logits": logits.flatten().tolist(), "greedy": greedy}

found = {}
for folder in request["folders"]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    found[folder] = {"dtype": str(AutoConfig.from_pretrained(folder).dtype), **values(model)}
base = AutoModelForCausalLM.from_pretrained(request["base"], dtype=torch.float32)
found[request["adapter"]] = {"dtype": "", **values(PeftModel.from_pretrained(base, request["adapter"]))}
json.dump(found, open(sys.argv[2], "w"))
`;

function hasPython(): boolean {
  const check = `
import sys
from importlib.util import find_spec
sys.exit(not all(find_spec(name) for name in ("torch", "transformers", "peft")))`;
  try {
    execFileSync("python3", ["-c", check], { stdio: "pipe" });
    return true;
  } catch {
    console.warn(
      "passed over: saved checkpoints and adapters are compared with Python torch, transformers and peft, which are not installed",
    );
    return false;
  }
}

const isChecked = hasPython();
const NAMES = ["llama", "llama-grouped", "qwen2", "qwen3"] as const;
const TOKENS = [7, 3, 11, 40, 2, 19, 5, 5, 30];
const SPEC: LoraSpec = { rank: 3, alpha: 6, dropout: 0 };

interface Values {
  readonly dtype: string;
  readonly logits: readonly number[];
  readonly greedy: readonly number[];
}

/** A step of gradient ascent on every weight, so that none is as it was loaded. */
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

function expectSame(ours: Awaited<ReturnType<typeof logitsAndText>>, theirs: Values): void {
  expect(ours.logits).toBeAllClose(theirs.logits, { relative: 0, absolute: 1e-4 });
  expect(ours.greedy).toEqual(theirs.greedy);
}

let scratch = "";
let theirs: Readonly<Record<string, Values>> = {};
const base = path.join(CHECKPOINTS, "qwen2");
const folderOf = (name: string, dtype: string) => path.join(scratch, `${name}-${dtype}`);
const adapterFolder = () => path.join(scratch, "adapter");

/** Adapters that change something: B is not zero. */
function newAdapters(model: LanguageModel): Parameters {
  const parameters = new Parameters(adapterSpecs(model.config, SPEC));
  const random = Random.of(3, "adapters");
  for (let i = 0; i < parameters.flat.length; i += 1) parameters.flat[i] = 0.3 * random.normal();
  return parameters;
}

beforeAll(async () => {
  if (!isChecked) return;
  scratch = await mkdtemp(path.join(os.tmpdir(), "saved-"));
  for (const name of NAMES) {
    const model = await loadCheckpoint(path.join(CHECKPOINTS, name));
    await train(model);
    for (const dtype of CHECKPOINT_DTYPES) {
      await saveCheckpoint(folderOf(name, dtype), model, { dtype, maxShardBytes: 15_000 });
    }
  }
  const model = await loadCheckpoint(base);
  const parameters = newAdapters(model);
  await saveAdapter(adapterFolder(), model.config, { spec: SPEC, parameters, baseModel: base });
  const file = (name: string) => path.join(scratch, name);
  const folders = NAMES.flatMap((name) => CHECKPOINT_DTYPES.map((dtype) => folderOf(name, dtype)));
  const request = { tokens: TOKENS, folders, base, adapter: adapterFolder() };
  await writeFile(file("read.py"), SCRIPT);
  await writeFile(file("request.json"), JSON.stringify(request));
  execFileSync("python3", [file("read.py"), file("request.json"), file("found.json")], {
    stdio: "pipe",
  });
  theirs = JSON.parse(await readFile(file("found.json"), "utf8")) as Record<string, Values>;
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(NAMES)("%s", (name) => {
  test.skipIf(!isChecked).each(CHECKPOINT_DTYPES)(
    "trained here and saved as %s, it is the same model in transformers",
    async (dtype) => {
      const expected = theirs[folderOf(name, dtype)]!;
      expect(expected.dtype).toBe(`torch.${dtype}`);
      expectSame(await logitsAndText(await loadCheckpoint(folderOf(name, dtype))), expected);
    },
  );
});

test.skipIf(!isChecked)("an adapter saved here is the same adapter in PEFT", async () => {
  const model = await loadCheckpoint(base);
  mergeAdapters(model.config, SPEC, model.parameters, newAdapters(model));
  expectSame(await logitsAndText(model), theirs[adapterFolder()]!);
});
