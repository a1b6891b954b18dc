import { expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/golden.ts";
import { loadCheckpoint } from "../../model/checkpoint.ts";
import { Random } from "../../random/random.ts";
import type { Backend, Job } from "../backend.ts";
import { localBackend } from "../local-backend.ts";
import { fillBatch, planMicroBatches } from "../micro-batch.ts";
import { ThreadHost } from "./host.ts";
import { parallelBackend, shareJobs } from "./parallel-backend.ts";
import type { Thread, ThreadReply } from "./protocol.ts";

/** A thread that lives in this one: messages are cloned as between threads, and answered after `delayMs`. */
function fakeThread(delayMs: number, diesAt = Number.POSITIVE_INFINITY): Thread {
  const host = new ThreadHost({ threads: 1 });
  let receive: (reply: ThreadReply) => void = () => undefined;
  let end: (reason: string) => void = () => undefined;
  let calls = 0;
  return {
    post(request, transfer = []) {
      if (request.type === "abort") host.abort();
      else if (request.type === "close") void host.close().then(() => end("closed"));
      else {
        calls += 1;
        const cloned = structuredClone(request, { transfer: [...transfer] });
        if (calls >= diesAt) setTimeout(() => end("out of memory"), delayMs);
        else
          setTimeout(
            () => void host.answer(cloned).then((reply) => receive(structuredClone(reply))),
            delayMs,
          );
      }
    },
    onReply: (to) => {
      receive = to;
    },
    onEnd: (to) => {
      end = to;
    },
  };
}

const model = await loadCheckpoint(TINY_LLAMA);
const { parameters, config } = model;
const random = Random.of(1, "parallel");
const sequences = Array.from({ length: 12 }, () => ({
  // Equal lengths make one shape, and so one program for each thread.
  ids: Array.from({ length: 28 }, () => random.integer(2, 18)),
  promptLength: 2,
}));

function jobs(): Job[] {
  return planMicroBatches(sequences, { tokenBudget: 64 }).map((batch) => ({
    shape: batch,
    feeds: { ...fillBatch(batch, sequences, { padTokenId: 0, weight: () => 0.01 }) },
  }));
}

async function lossAndGradient(backend: Backend) {
  const runner = backend.gradientRunner(
    { kind: "language_model", model: config },
    parameters.specs,
  );
  const outputs = await runner.run(parameters, jobs());
  const losses = outputs.map(({ loss }) => loss?.[0] as number);
  return { losses, gradient: runner.gradients.flat.slice() };
}

test("threads give the losses and the gradient of one thread, up to rounding", async () => {
  await using local = localBackend();
  await using parallel = parallelBackend([fakeThread(0), fakeThread(0), fakeThread(0)]);
  const expected = await lossAndGradient(local);
  const found = await lossAndGradient(parallel);
  expect(found.losses).toEqual(expected.losses);
  const worst = expected.gradient.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (found.gradient[i] as number))),
    0,
  );
  expect(worst).toBeLessThan(1e-5);
  expect(Math.max(...expected.gradient)).toBeGreaterThan(1e-3);
});

test("the result is the same to the last bit whichever thread is slow", async () => {
  await using first = parallelBackend([fakeThread(40), fakeThread(0)]);
  await using second = parallelBackend([fakeThread(0), fakeThread(40)]);
  expect(await lossAndGradient(first)).toEqual(await lossAndGradient(second));
});

test("sampled responses come back in the order of their requests", async () => {
  const requests = [2, 3, 5, 7, 11].map((id) => ({ promptIds: [id, 4], key: [id] }));
  const options = { seed: "s", maxNewTokens: 6, batchSize: 4 };
  await using local = localBackend();
  await using parallel = parallelBackend([fakeThread(20), fakeThread(0)]);
  const expected = await local.sample(config, parameters, requests, options);
  const found = await parallel.sample(config, parameters, requests, options);
  expect(found.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
});

test("a thread that ends is reported with its number and reason", async () => {
  await using backend = parallelBackend([fakeThread(0), fakeThread(5, 2)]);
  await lossAndGradient(backend);
  const failed = expect(lossAndGradient(backend)).rejects;
  await failed.toMatchObject({
    code: "training.thread_ended",
    message: "training thread 2 of 2 ended while it was needed: out of memory",
  });
  await expect(lossAndGradient(backend)).rejects.toMatchObject({ code: "training.thread_ended" });
});

test("an error inside a thread keeps its class and code", async () => {
  await using backend = parallelBackend([fakeThread(0)]);
  const runner = backend.forwardRunner({ kind: "language_model", model: config }, parameters.specs);
  const [job] = jobs();
  const broken = { shape: job!.shape, feeds: { tokens: new Int32Array(3) } };
  await expect(runner.run(parameters, [broken])).rejects.toMatchObject({
    name: "GraphError",
    code: "engine.bad_feed",
  });
});

test("jobs go to the thread with the least to do", () => {
  const sizes = [4, 3, 2, 2, 1];
  const shares = shareJobs(
    sizes.map((B) => ({ shape: { B, T: 1, R: 1, isPacked: false }, feeds: {} })),
    2,
  );
  // 4 | 3; 2 to the second (5), 2 to the first (6), 1 to the second (6).
  expect(shares.map((share) => share.map(({ at }) => at))).toEqual([
    [0, 3],
    [1, 2, 4],
  ]);
});
