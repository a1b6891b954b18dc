import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { expect, test } from "vitest";
import { GraphBuilder } from "../graph/builder.ts";
import { neg } from "../ops/primitives.ts";
import { deviceError } from "./device.ts";
import { compile } from "./program.ts";

const folder = path.dirname(
  createRequire(import.meta.url).resolve("onnxruntime-node/package.json"),
);
const provider = path.join(
  folder,
  `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`,
);

test.skipIf(existsSync(provider))(
  "cuda without its files says which and how to get them",
  async () => {
    const graph = new GraphBuilder("minus");
    graph.output("y", neg(graph.input("x", [1])));
    await expect(compile(graph.build(), { device: "cuda" })).rejects.toMatchObject({
      code: "engine.no_device",
      message: expect.stringMatching(/compiling "minus" for device cuda: .*/),
      hint: expect.stringContaining("--device cpu"),
    });
  },
);

test("causes are told apart by what the runtime says", () => {
  const adapter = new Error("x was false. Failed to get a WebGPU adapter: No supported adapters\n");
  const failure = deviceError("webgpu", "step", adapter);
  expect(failure?.message).toBe(
    'compiling "step" for device webgpu: no Vulkan driver was found (Failed to get a WebGPU adapter: No supported adapters)',
  );
  expect(failure?.hint).toContain("VK_DRIVER_FILES");
  expect(deviceError("webgpu", "step", new Error("shape mismatch"))).toBeUndefined();
  expect(deviceError("cpu", "step", adapter)).toBeUndefined();
});
