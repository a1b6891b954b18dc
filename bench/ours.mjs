/** Our side of the protocol of peers/protocol.py; needs `npm run build`. */
import { createInterface } from "node:readline";
import { openBenchWork } from "../dist/cli/bench-work.js";

const [kind, shape, workers, threads] = process.argv.slice(2);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const work = await openBenchWork(kind, {
  ...JSON.parse(shape),
  device: "cpu",
  workers: Number(workers),
  threads: Number(threads),
  tokenBudget: 1536,
});
await work.round();
say({
  ready: true,
  version: `four-habits, Node ${process.version}`,
  tokens: work.tokens,
  flops: work.flops,
});
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "end") break;
  const start = performance.now();
  await work.round();
  say({ seconds: (performance.now() - start) / 1000 });
}
say({ peakMemoryBytes: process.resourceUsage().maxRSS * 1024 });
await work[Symbol.asyncDispose]();
