/**
 * The same training step and sampled batch on WebGPU and on the processor. Without a graphics card, Vulkan comes from SwiftShader, which
 * Debian's chromium package contains.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const CHROMIUM = "/usr/lib/chromium";
const SOFTWARE_DRIVER = `${CHROMIUM}/vk_swiftshader_icd.json`;
/** Largest difference of a value, against the largest value of its tensor: sums are added up in another order. */
const TOLERANCE = 1e-5;

interface Report {
  readonly loss: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly tokens: readonly (readonly number[])[];
  readonly logProbs: readonly (readonly number[])[];
}

async function runOn(device: string, env: NodeJS.ProcessEnv = process.env): Promise<Report> {
  const script = fileURLToPath(new URL("./device-step.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, device], {
    env,
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as Report;
}

function expectClose(found: readonly number[], expected: readonly number[], name: string): void {
  const scale = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((x, i) => Math.abs(x - (found[i] ?? Number.NaN))));
  expect(worst / scale, name).toBeLessThan(TOLERANCE);
}

/** Environment with a Vulkan driver; undefined where none is known. */
function driverEnvironment(): NodeJS.ProcessEnv | undefined {
  if (process.env.VK_DRIVER_FILES !== undefined) return process.env;
  if (!existsSync(SOFTWARE_DRIVER)) return undefined;
  return { ...process.env, LD_LIBRARY_PATH: CHROMIUM, VK_DRIVER_FILES: SOFTWARE_DRIVER };
}

test("webgpu gives the gradients, tokens and log-probabilities of the processor", async ({
  skip,
}) => {
  const env = driverEnvironment();
  if (env === undefined) {
    skip(`no Vulkan driver: set VK_DRIVER_FILES, or install chromium for ${SOFTWARE_DRIVER}`);
    return;
  }
  const expected = await runOn("cpu");
  const found = await runOn("webgpu", env);
  expectClose(found.loss, expected.loss, "loss");
  for (const [name, values] of Object.entries(expected.gradients)) {
    expectClose(found.gradients[name] ?? [], values, name);
  }
  expect(found.tokens).toEqual(expected.tokens);
  expectClose(found.logProbs.flat(), expected.logProbs.flat(), "log-probabilities");
});

test("a device without its driver names the driver and the way on", async () => {
  const env = { ...process.env, VK_DRIVER_FILES: "/missing.json" };
  const failure = runOn("webgpu", env);
  await expect(failure).rejects.toThrow(/for device webgpu: no Vulkan driver was found/);
});
