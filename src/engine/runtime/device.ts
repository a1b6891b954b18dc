/**
 * Where programs run. `cpu` is the default and what results are tested on; `webgpu` is part of onnxruntime-node and needs a graphics driver;
 * `cuda` needs provider files that the package leaves out. Operators that a device lacks run on the processor.
 */
import { type HabitsError, messageOf, RunError } from "../../util/errors.ts";

export const DEVICES = ["cpu", "webgpu", "cuda"] as const;
export type Device = (typeof DEVICES)[number];

/** Text by which a cause is known, what is missing, how to go on. The first that is found counts. */
const KNOWN_CAUSES: readonly (readonly [RegExp, string, string])[] = [
  [
    /No supported adapters|WebGPU adapter/,
    "no Vulkan driver was found",
    "install a driver for the graphics card and libvulkan.so.1; without a card, SwiftShader serves: with Debian's chromium package set LD_LIBRARY_PATH=/usr/lib/chromium and VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json; or use --device cpu",
  ],
  [
    /Failed to load shared library|libonnxruntime_providers/,
    "the files libonnxruntime_providers_shared.so and libonnxruntime_providers_cuda.so are not beside onnxruntime-node's library, or a library of CUDA that they need is not found",
    "on Linux x64 with CUDA installed run `node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12` (it needs a network), or use --device cpu",
  ],
  [
    /backend not found|not supported on this platform|not enabled in this build/,
    "onnxruntime-node has no such provider on this platform",
    "use --device cpu or --device webgpu",
  ],
];

/** The error of a device that cannot be used, or undefined where the cause is of another kind. */
export function deviceError(
  device: Device,
  graph: string,
  cause: unknown,
): HabitsError | undefined {
  if (device === "cpu") return undefined;
  const message = messageOf(cause);
  const known = KNOWN_CAUSES.find(([pattern]) => pattern.test(message));
  if (known === undefined) return undefined;
  const [, missing, hint] = known;
  return new RunError(
    `compiling "${graph}" for device ${device}: ${missing} (${firstLine(message)})`,
    {
      code: "engine.no_device",
      hint,
      cause,
    },
  );
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/^.*was false\.\s*/, "");
}
