/** `habits pretrain`: makes a tiny base model from scratch, as the shipped ones were made. */

import { z } from "zod";
import { DEVICES } from "../engine/index.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import {
  BASES,
  documentOptionsOf,
  documentOptionsSchema,
  documents,
} from "../priming/documents.ts";
import {
  buildTokenizerConfig,
  buildTokenizerJson,
  EOS_ID,
  encodePieces,
  PAD_ID,
  VOCABULARY,
} from "../priming/vocabulary.ts";
import { Random } from "../random/random.ts";
import { pretrainConfigSchema, runPretrain } from "../training/pretrain/pretrain.ts";
import { writeModelCard } from "./model-card.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.strictObject({
  base: z.enum(BASES).describe("which documents the model reads"),
  from: z
    .string()
    .optional()
    .describe("checkpoint folder to continue from; fresh weights without it"),
  out: z.string().describe("folder for model/ and metrics.jsonl"),
  seed: z.number().int().default(1).describe("seed of documents and weights"),
  threads: z.number().int().positive().default(1).describe("processor threads"),
  device: z.enum(DEVICES).default("cpu").describe("where the model runs"),
  documents: documentOptionsSchema
    .partial()
    .default({})
    .describe("mixture of the documents, in place of the base's own (in the --config file)"),
  ...pretrainConfigSchema.shape,
});

export const command = schemaCommand({
  name: "pretrain",
  summary: "make the tiny base models again",
  options,
  run: async (all, io) => {
    const { base, from, out, seed, threads, device, documents: mixture, ...config } = all;
    const documentOptions = documentOptionsSchema.parse({ ...documentOptionsOf(base), ...mixture });
    const result = await runPretrain({
      documents: texts(documents(Random.of(seed, "corpus"), documentOptions)),
      tokenizer: new Tokenizer(buildTokenizerJson(), buildTokenizerConfig()),
      ...(from === undefined ? {} : { from }),
      encode: encodePieces,
      vocabSize: VOCABULARY.length,
      eosTokenId: EOS_ID,
      padTokenId: PAD_ID,
      out,
      config,
      seed,
      threads,
      device,
      signal: io.signal,
      onProgress: io.progress(`pretrain ${base}`),
    });
    await writeModelCard({
      out,
      base,
      command: `habits pretrain --base ${base} --seed ${seed}${from === undefined ? "" : " --from ..."}`,
      settings: { ...config, documents: documentOptions },
      loss: result.loss,
    });
    io.print(`wrote ${out}/model; loss ${result.loss.toFixed(4)}`);
    io.result(result);
  },
});

function* texts(source: Iterable<{ readonly text: string }>): Generator<string> {
  for (const { text } of source) yield text;
}
