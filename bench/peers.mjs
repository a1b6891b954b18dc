/**
 * The same work here and in PyTorch, transformers and TRL, round by round in turn on one machine, so that a slow spell hits all of them.
 * `node bench/peers.mjs [--only train-128,decode-256] [--rounds 5] [--threads 2] [--tiny] [--patience 300] [--json FILE]` after `npm run build`.
 * Needs Python 3 with torch, transformers and trl (PYTHON names another interpreter); a peer that cannot start is skipped with its reason.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    threads: { type: "string", default: "2" },
    tiny: { type: "boolean", default: false },
    json: { type: "string" },
    patience: { type: "string", default: "300" },
  },
});
const PYTHON = process.env.PYTHON ?? "python3";
/** A process that says nothing for this long is given up: preparing, which may compile, or a round. */
const SILENCE_MS = Number(flags.patience) * 1000;

const SMALL = { dModel: 128, layers: 4, heads: 4, kvHeads: 4, dFf: 512, vocab: 512 };
const LARGE = { dModel: 256, layers: 6, heads: 8, kvHeads: 8, dFf: 1024, vocab: 512 };
const TINY = { dModel: 32, layers: 1, heads: 2, kvHeads: 2, dFf: 64, vocab: 64 };
const TRAIN = { batch: 32, seq: 192, prompt: 0, new: 0 };
const SAMPLE = { batch: 256, seq: 0, prompt: 32, new: 160 };
const TINY_TRAIN = { batch: 4, seq: 16, prompt: 0, new: 0 };
const TINY_SAMPLE = { batch: 8, seq: 0, prompt: 4, new: 8 };

const TRAIN_PEERS = {
  "torch SDPA": ["train.py", "--mode", "eager"],
  "torch SDPA + compile": ["train.py", "--mode", "compile"],
};
const DECODE_PEERS = { "transformers generate": ["decode.py"] };
const PPO_PEERS = { "TRL GRPO step": ["grpo.py"] };

const CASES = flags.tiny
  ? [
      {
        name: "train-tiny",
        kind: "train",
        shape: { ...TINY, ...TINY_TRAIN },
        rounds: 2,
        peers: TRAIN_PEERS,
      },
      {
        name: "decode-tiny",
        kind: "decode",
        shape: { ...TINY, ...TINY_SAMPLE },
        rounds: 2,
        peers: DECODE_PEERS,
      },
      {
        name: "ppo-tiny",
        kind: "ppo",
        shape: { ...TINY, ...TINY_SAMPLE },
        rounds: 2,
        peers: PPO_PEERS,
      },
    ]
  : [
      {
        name: "train-128",
        kind: "train",
        shape: { ...SMALL, ...TRAIN },
        rounds: 11,
        peers: TRAIN_PEERS,
      },
      {
        name: "train-256",
        kind: "train",
        shape: { ...LARGE, ...TRAIN },
        rounds: 7,
        peers: TRAIN_PEERS,
      },
      {
        name: "decode-128",
        kind: "decode",
        shape: { ...SMALL, ...SAMPLE },
        rounds: 3,
        peers: DECODE_PEERS,
      },
      {
        name: "decode-256",
        kind: "decode",
        shape: { ...LARGE, ...SAMPLE },
        rounds: 3,
        peers: DECODE_PEERS,
      },
      { name: "ppo-128", kind: "ppo", shape: { ...SMALL, ...SAMPLE }, rounds: 3, peers: PPO_PEERS },
    ];

/** A benchmark process; `ask` runs one round. */
class Peer {
  constructor(name, command, args) {
    this.name = name;
    this.seconds = [];
    this.errors = "";
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stderr.on("data", (data) => {
      this.errors = `${this.errors}${data}`.slice(-2000);
    });
    this.child.stdin.on("error", () => undefined); // the reason comes with the exit
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.failed = new Promise((resolve) => {
      this.child.on("error", (error) => resolve(error.message));
    });
  }

  /** The next line as JSON; throws with the last words of a process that ended or fell silent. */
  async #read() {
    let timer;
    const silence = new Promise((resolve) => {
      timer = setTimeout(() => resolve(`silent for ${SILENCE_MS / 1000} s`), SILENCE_MS);
    });
    const line = await Promise.race([this.lines.next(), this.failed, silence]);
    clearTimeout(timer);
    if (typeof line === "string" || line.done === true) {
      this.child.kill();
      const lines = this.errors.trim().split("\n");
      const words = lines.findLast((text) => /\w*(Error|Exception)\b/.test(text)) ?? lines.at(-1);
      throw new Error(typeof line === "string" ? line : words || "it ended without a word");
    }
    return JSON.parse(line.value);
  }

  async ready() {
    Object.assign(this, await this.#read());
    return this;
  }

  async ask() {
    this.child.stdin.write("go\n");
    this.seconds.push((await this.#read()).seconds);
  }

  async end() {
    this.child.stdin.end("end\n");
    Object.assign(this, await this.#read());
    this.child.kill(); // what is left to do is tidying up
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function open(name, command, args, skipped) {
  try {
    return [await new Peer(name, command, args).ready()];
  } catch (error) {
    skipped[name] = error.message;
    console.log(`  skipped ${name}: ${error.message}`);
    return [];
  }
}

async function runCase({ name, kind, shape, rounds, peers }) {
  console.log(`${name}: ${JSON.stringify(shape)}`);
  const skipped = {};
  const json = JSON.stringify(shape);
  const ours = await new Peer("four-habits", process.execPath, [
    here("./ours.mjs"),
    kind,
    json,
    flags.threads,
    "1",
  ]).ready();
  const all = [ours];
  for (const [peer, [script, ...args]] of Object.entries(hasPython ? peers : {})) {
    const own = [here(`./peers/${script}`), "--shape", json, "--threads", flags.threads, ...args];
    all.push(...(await open(peer, PYTHON, own, skipped)));
  }
  const total = Number(flags.rounds ?? rounds);
  for (let round = 0; round < total; round += 1) for (const peer of all) await peer.ask();
  for (const peer of all) await peer.end();
  const results = all.map(({ name: who, version, seconds, peakMemoryBytes }) => {
    const rates = seconds.map((s) => ours.tokens / s);
    return {
      name: who,
      version,
      seconds,
      tokensPerSecond: {
        median: median(rates),
        least: Math.min(...rates),
        most: Math.max(...rates),
      },
      modelGflopPerSecond: ours.flops / median(seconds) / 1e9,
      peakMemoryBytes,
      oursOverThis: median(seconds) / median(ours.seconds),
    };
  });
  for (const {
    name: who,
    version,
    tokensPerSecond: t,
    oursOverThis,
    peakMemoryBytes,
    modelGflopPerSecond,
  } of results) {
    console.log(
      `  ${who.padEnd(24)} ${t.median.toFixed(0).padStart(7)} tokens/s (${t.least.toFixed(0)} to ${t.most.toFixed(0)}), ` +
        `${modelGflopPerSecond.toFixed(1)} GFLOP/s, ${(peakMemoryBytes / 2 ** 30).toFixed(2)} GiB` +
        `${who === "four-habits" ? "" : `; ours is ${oursOverThis.toFixed(2)} times as fast`}  [${version}]`,
    );
  }
  return { name, kind, shape, results, skipped };
}

if (!existsSync(here("../dist/cli/bench-work.js"))) {
  console.error("dist/ is missing: run `npm run build` first");
  process.exit(1);
}
const hasPython = spawnSync(PYTHON, ["-c", "import torch"]).status === 0;
if (!hasPython) {
  console.log(
    `no peers: "${PYTHON}" with torch was not found; install Python 3 with torch, transformers and trl, or set PYTHON`,
  );
}
const only = flags.only?.split(",");
const cases = CASES.filter(({ name }) => only === undefined || only.includes(name));
const unknown = (only ?? []).filter((name) => !CASES.some((one) => one.name === name));
if (unknown.length > 0) {
  console.error(
    `no case ${unknown.join(", ")}; there are ${CASES.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
  load: loadavg()[0],
};
console.log(
  `${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}, ${flags.threads} threads each`,
);
const results = [];
for (const one of cases) results.push(await runCase(one));
if (flags.json !== undefined) {
  writeFileSync(flags.json, `${JSON.stringify({ machine, results }, null, 1)}\n`);
  console.log(`wrote ${flags.json}`);
}
