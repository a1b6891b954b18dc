/** The engine's surface: build a graph, differentiate it, interpret it, or compile it to an onnxruntime program. */
export { differentiate } from "./autodiff/differentiate.ts";
export { GraphBuilder } from "./graph/builder.ts";
export { hashGraph, printGraph } from "./graph/print.ts";
export type { DType, Graph, Shape, Tensor, TensorData } from "./graph/types.ts";
export { verifyGraph } from "./graph/verify.ts";
export { interpret } from "./interpreter/interpret.ts";
export * from "./ops/composites.ts";
export * from "./ops/primitives.ts";
export { DEVICES, type Device } from "./runtime/device.ts";
export { type CompileOptions, compile, type Program, ProgramCache } from "./runtime/program.ts";
export { prepareRuntime } from "./runtime/runtime.ts";
