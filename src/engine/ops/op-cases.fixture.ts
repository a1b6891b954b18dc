/**
 * Cases of every operator for the differential test: a row for each member of the op union, so that a new operator without
 * cases does not compile. Values avoid the kinks of an operator unless the case is about them.
 */
import type { GraphBuilder } from "../graph/builder.ts";
import type { DType, OpName, Shape, Tensor, TensorData } from "../graph/types.ts";
import * as primitives from "./primitives.ts";

export interface OpCase {
  readonly name: string;
  /** Operands: a list of numbers is float32 of that shape. */
  readonly operands: readonly Operand[];
  readonly build: (operands: Tensor[], graph: GraphBuilder) => Tensor;
  /** False where the gradient does not exist at these values or the operator has none; default true. */
  readonly gradient?: boolean;
}

export interface Operand {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: TensorData;
}

const sizeOf = (shape: Shape) => shape.reduce((product, size) => product * size, 1);

/** Distinct values in (-1.5, 1.5), at least 0.01 from zero, different for each seed. */
export function spread(shape: Shape, seed = 0): Operand {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const x = 1.4 * Math.sin(1.7 * i + 2.3 * seed + 0.4);
    return x + Math.sign(x) * 0.01;
  });
  return { shape, dtype: "float32", values };
}

/** Values in (0.1, 3). */
export function positive(shape: Shape, seed = 0): Operand {
  const { values } = spread(shape, seed);
  return {
    shape,
    dtype: "float32",
    values: (values as Float32Array).map((x) => Math.abs(x) + 0.1),
  };
}

export function floats(...values: number[]): Operand {
  return { shape: [values.length], dtype: "float32", values: Float32Array.from(values) };
}

export function ints(shape: Shape, ...values: number[]): Operand {
  return { shape, dtype: "int32", values: Int32Array.from(values) };
}

export function bools(shape: Shape, ...values: number[]): Operand {
  return { shape, dtype: "bool", values: Uint8Array.from(values) };
}

const EXTREMES = floats(-1e30, -100, -1e-3, 0, 1e-3, 100, 1e30);
const TIES = [floats(1, 2, 3, -1), floats(1, 3, 2, -1)];

type Binary = (a: Tensor, b: Tensor) => Tensor;

/** Broadcasting in both directions, axes of size 1, scalars, empty arrays. */
function binaryCases(f: Binary, make: typeof spread, options: Partial<OpCase> = {}): OpCase[] {
  const shapes: [string, Shape, Shape][] = [
    ["same shape", [2, 3], [2, 3]],
    ["row", [2, 3], [3]],
    ["column", [2, 1], [2, 3]],
    ["both ways", [2, 1, 3], [4, 1]],
    ["size 1", [1], [1, 1]],
    ["scalar", [], [2, 2]],
    ["empty", [0, 3], [1, 3]],
  ];
  return shapes.map(([name, a, b]) => ({
    name,
    operands: [make(a, 1), make(b, 2)],
    build: ([x, y]) => f(x!, y!),
    ...options,
  }));
}

const intPair = [ints([2, 3], 1, -2, 3, 7, 0, 2147483647), ints([3], 5, -2, 1)];

function arithmeticCases(f: Binary): OpCase[] {
  return [
    ...binaryCases(f, spread),
    { name: "int32", operands: intPair, build: ([a, b]) => f(a!, b!), gradient: false },
    { name: "one operand twice", operands: [spread([3])], build: ([a]) => f(a!, a!) },
  ];
}

function comparisonCases(f: Binary): OpCase[] {
  const none = { gradient: false };
  return [
    ...binaryCases(f, spread, none),
    { name: "ties", operands: TIES, build: ([a, b]) => f(a!, b!), ...none },
    { name: "int32", operands: intPair, build: ([a, b]) => f(a!, b!), ...none },
  ];
}

function unaryCases(f: (x: Tensor) => Tensor, make: typeof spread, options: Partial<OpCase> = {}) {
  return ([[2, 3], [], [1], [0, 2], [2, 1, 5]] as Shape[]).map(
    (shape): OpCase => ({
      name: `(${shape})`,
      operands: [make(shape, 3)],
      build: ([x]) => f(x!),
      ...options,
    }),
  );
}

const extremes = (f: (x: Tensor) => Tensor): OpCase => ({
  name: "extremes",
  operands: [EXTREMES],
  build: ([x]) => f(x!),
  gradient: false,
});

function reductionCases(f: typeof primitives.sum): OpCase[] {
  const x = spread([2, 3, 4], 5);
  const one = (name: string, options: primitives.ReductionOptions): OpCase => ({
    name,
    operands: [x],
    build: ([t]) => f(t!, options),
  });
  return [
    one("all", {}),
    one("last", { axes: [-1] }),
    one("first, kept", { axes: [0], keepDims: true }),
    one("two", { axes: [2, 0] }),
    one("none", { axes: [] }),
    { name: "size 1", operands: [spread([3, 1])], build: ([t]) => f(t!, { axes: [1] }) },
    { name: "scalar", operands: [spread([])], build: ([t]) => f(t!) },
    {
      name: "int32",
      operands: [ints([2, 2], 3, -4, 3, 9)],
      build: ([t]) => f(t!, { axes: [0] }),
      gradient: false,
    },
  ];
}

type MatmulRow = readonly [string, Shape, Shape, primitives.MatmulOptions];
const MATMULS: readonly MatmulRow[] = [
  ["plain", [2, 3], [3, 4], {}],
  ["alpha", [2, 3], [3, 4], { alpha: -0.5 }],
  ["left turned", [3, 2], [3, 4], { transposeA: true }],
  ["left turned, tall result", [3, 5], [3, 2], { transposeA: true }],
  ["right turned", [2, 3], [4, 3], { transposeB: true }],
  ["both turned", [3, 2], [4, 3], { transposeA: true, transposeB: true, alpha: 2 }],
  ["batched", [2, 2, 2, 3], [2, 2, 3, 2], {}],
  ["batched, right turned", [2, 2, 3], [2, 4, 3], { transposeB: true, alpha: 0.25 }],
  ["batched, left turned", [2, 3, 2], [2, 3, 4], { transposeA: true }],
  ["shared right", [2, 2, 3], [3, 4], {}],
  ["shared right, turned", [2, 2, 3], [4, 3], { transposeB: true }],
  ["shared right, left turned", [2, 3, 2], [3, 4], { transposeA: true }],
  ["shared left", [2, 3], [2, 3, 4], {}],
  ["batch of 1", [1, 2, 3], [4, 3, 2], {}],
  ["size 1", [1, 1], [1, 1], {}],
  ["no rows", [0, 3], [3, 2], {}],
];

const tables: Record<"cos" | "sin", (shape: Shape) => Operand> = {
  cos: (shape) => ({
    ...spread(shape),
    values: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(0.3 * i)),
  }),
  sin: (shape) => ({
    ...spread(shape),
    values: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.3 * i)),
  }),
};

const rotaryCases: OpCase[] = (
  [
    ["table of angles", [2, 3, 4, 6], [4, 3], false],
    ["angles of each sequence", [2, 3, 4, 6], [2, 1, 4, 3], false],
    ["inverse", [2, 1, 3, 4], [3, 2], true],
    ["one position", [3, 2, 1, 2], [3, 1, 1, 1], false],
  ] as [string, Shape, Shape, boolean][]
).map(([name, shape, angles, inverse]) => ({
  name,
  operands: [spread(shape), tables.cos(angles), tables.sin(angles)],
  build: ([x, cos, sin], graph) => {
    // Angles are fixed: no gradient flows to them.
    const fixed = [primitives.stopGradient(cos!), primitives.stopGradient(sin!)];
    return graph.emit("rotaryEmbedding", [x!, ...fixed], { inverse });
  },
}));

const noGradient = { gradient: false };
const floatAndInt = [spread([2, 3]), ints([2], 2, -3)];

export const opCases: { readonly [K in OpName]: readonly OpCase[] } = {
  input: [{ name: "bool", operands: [bools([3], 1, 0, 1)], build: ([x]) => x!, ...noGradient }],
  parameter: [{ name: "as output", operands: [spread([2])], build: ([x]) => x! }],
  constant: [
    {
      name: "of each dtype",
      operands: [spread([2, 2])],
      build: ([x], graph) =>
        primitives.mul(
          primitives.where(
            graph.constant(Uint8Array.of(1, 0)),
            primitives.add(x!, primitives.cast(graph.constant(7, [2], "int32"), "float32")),
            graph.constant(Float32Array.of(1, 2, 3, 4), [2, 2]),
          ),
          x!,
        ),
    },
  ],

  add: arithmeticCases(primitives.add),
  sub: arithmeticCases(primitives.sub),
  mul: arithmeticCases(primitives.mul),
  div: [
    ...binaryCases(primitives.div, positive),
    {
      name: "by zero",
      operands: [floats(1, -1, 0), floats(0, 0, 0)],
      build: ([a, b]) => primitives.div(a!, b!),
      ...noGradient,
    },
  ],
  minimum: [
    ...arithmeticCases(primitives.minimum),
    { name: "ties", operands: TIES, build: ([a, b]) => primitives.minimum(a!, b!) },
  ],
  maximum: [
    ...arithmeticCases(primitives.maximum),
    { name: "ties", operands: TIES, build: ([a, b]) => primitives.maximum(a!, b!) },
  ],
  equal: comparisonCases(primitives.equal),
  less: comparisonCases(primitives.less),
  lessEqual: comparisonCases(primitives.lessEqual),
  logicalAnd: [
    {
      name: "truth table",
      operands: [bools([2, 1], 0, 1), bools([2], 0, 1)],
      build: ([a, b]) => primitives.logicalAnd(a!, b!),
      ...noGradient,
    },
  ],
  where: [
    {
      name: "broadcast",
      operands: [bools([3], 1, 0, 1), spread([2, 1], 1), spread([2, 3], 2)],
      build: ([c, a, b]) => primitives.where(c!, a!, b!),
    },
    {
      name: "scalar branch",
      operands: [bools([2, 2], 1, 0, 0, 1), spread([2, 2])],
      build: ([c, a]) => primitives.where(c!, a!, -100),
    },
    {
      name: "int32",
      operands: [bools([2], 1, 0), ints([2], 1, 2), ints([], 9)],
      build: ([c, a, b]) => primitives.where(c!, a!, b!),
      ...noGradient,
    },
  ],

  neg: [...unaryCases(primitives.neg, spread), extremes(primitives.neg)],
  exp: [...unaryCases(primitives.exp, spread), extremes(primitives.exp)],
  log: [
    ...unaryCases(primitives.log, positive),
    {
      name: "at and below zero",
      operands: [floats(0, -1, 1e30)],
      build: ([x]) => primitives.log(x!),
      ...noGradient,
    },
  ],
  sqrt: [...unaryCases(primitives.sqrt, positive), extremes(primitives.sqrt)],
  sigmoid: [...unaryCases(primitives.sigmoid, spread), extremes(primitives.sigmoid)],
  tanh: [...unaryCases(primitives.tanh, spread), extremes(primitives.tanh)],
  silu: [
    ...unaryCases(primitives.silu, spread),
    { ...extremes(primitives.silu), operands: [floats(-80, -1e-3, 0, 1e-3, 80, 1e30)] },
  ],
  logicalNot: [
    {
      name: "both",
      operands: [bools([2], 0, 1)],
      build: ([x]) => primitives.logicalNot(x!),
      ...noGradient,
    },
  ],
  cast: [
    {
      name: "float to int",
      operands: [floats(-2.7, -0.2, 0, 1.9)],
      build: ([x]) => primitives.cast(x!, "int32"),
      ...noGradient,
    },
    {
      name: "float to bool",
      operands: [floats(-2.7, 0, 0.1)],
      build: ([x]) => primitives.cast(x!, "bool"),
      ...noGradient,
    },
    {
      name: "int to float",
      operands: [ints([2], -3, 5)],
      build: ([x]) => primitives.cast(x!, "float32"),
      ...noGradient,
    },
    {
      name: "bool to float",
      operands: [bools([2], 1, 0)],
      build: ([x]) => primitives.cast(x!, "float32"),
      ...noGradient,
    },
    {
      name: "float to float",
      operands: [spread([2])],
      build: ([x]) => primitives.cast(x!, "float32"),
    },
  ],
  stopGradient: [
    {
      name: "value",
      operands: [spread([2, 3])],
      build: ([x]) => primitives.stopGradient(x!),
      ...noGradient,
    },
  ],

  matmul: MATMULS.map(([name, a, b, options]) => ({
    name,
    operands: [spread(a, 1), spread(b, 2)],
    build: ([x, y]) => primitives.matmul(x!, y!, options),
  })),
  sum: reductionCases(primitives.sum),
  max: [
    ...reductionCases(primitives.max),
    // Central differences of tied maxima see half of each slope only for two ties.
    { name: "ties", operands: [floats(3, 1, 3)], build: ([x]) => primitives.max(x!) },
  ],

  reshape: [
    {
      name: "worked out",
      operands: [spread([2, 6])],
      build: ([x]) => primitives.reshape(x!, [3, -1]),
    },
    { name: "to scalar", operands: [spread([1, 1])], build: ([x]) => primitives.reshape(x!, []) },
    {
      name: "empty",
      operands: [spread([0, 3])],
      build: ([x]) => primitives.reshape(x!, [3, 0, 2]),
    },
  ],
  transpose: [
    {
      name: "cycle",
      operands: [spread([2, 3, 4])],
      build: ([x]) => primitives.transpose(x!, [2, 0, 1]),
    },
    {
      name: "negative",
      operands: [spread([2, 3])],
      build: ([x]) => primitives.transpose(x!, [-1, -2]),
    },
    {
      name: "heads",
      operands: [spread([2, 3, 2, 2])],
      build: ([x]) => primitives.transpose(x!, [0, 2, 1, 3]),
    },
    { name: "empty", operands: [spread([0, 3])], build: ([x]) => primitives.transpose(x!, [1, 0]) },
  ],
  slice: [
    {
      name: "middle",
      operands: [spread([2, 5])],
      build: ([x]) => primitives.slice(x!, { axis: 1, start: 1, end: 4 }),
    },
    {
      name: "from the end",
      operands: [spread([4, 2])],
      build: ([x]) => primitives.slice(x!, { axis: -2, start: -1 }),
    },
    {
      name: "of an axis of 1",
      operands: [spread([1, 2])],
      build: ([x]) => primitives.slice(x!, { axis: 0, end: 1 }),
    },
    {
      name: "nothing",
      operands: [spread([3])],
      build: ([x]) => primitives.slice(x!, { axis: 0, start: 2, end: 2 }),
    },
    {
      name: "int32",
      operands: [ints([3], 4, 5, 6)],
      build: ([x]) => primitives.slice(x!, { axis: 0, start: 1 }),
      ...noGradient,
    },
  ],
  concat: [
    {
      name: "three",
      operands: [spread([2, 1], 1), spread([2, 3], 2), spread([2, 2], 3)],
      build: (list) => primitives.concat(list, 1),
    },
    {
      name: "negative axis",
      operands: [spread([1, 2], 1), spread([3, 2], 2)],
      build: (list) => primitives.concat(list, -2),
    },
    {
      name: "with an empty one",
      operands: [spread([0], 1), spread([2], 2)],
      build: (list) => primitives.concat(list, 0),
    },
    {
      name: "one value twice",
      operands: [spread([2])],
      build: ([x]) => primitives.concat([x!, x!], 0),
    },
  ],
  broadcastTo: [
    {
      name: "new and size 1 axes",
      operands: [spread([2, 1])],
      build: ([x]) => primitives.broadcastTo(x!, [3, 2, 4]),
    },
    { name: "scalar", operands: [spread([])], build: ([x]) => primitives.broadcastTo(x!, [2, 2]) },
    {
      name: "to empty",
      operands: [spread([1, 2])],
      build: ([x]) => primitives.broadcastTo(x!, [0, 2]),
    },
  ],

  gather: [
    {
      name: "rows, repeated",
      operands: [spread([4, 3]), ints([2, 3], 0, 3, 3, 1, 3, 0)],
      build: ([t, i]) => primitives.gather(t!, i!),
    },
    {
      name: "elements",
      operands: [spread([4]), ints([3], 2, 0, 2)],
      build: ([t, i]) => primitives.gather(t!, i!),
    },
    {
      name: "one row, scalar index",
      operands: [spread([3, 2]), ints([], 1)],
      build: ([t, i]) => primitives.gather(t!, i!),
    },
    {
      name: "negative index",
      operands: floatAndInt.map((x, at) => (at === 0 ? spread([3, 2]) : x)),
      build: ([t, i]) => primitives.gather(t!, i!),
    },
    {
      name: "no indices",
      operands: [spread([3, 2]), ints([0])],
      build: ([t, i]) => primitives.gather(t!, i!),
    },
  ],
  scatterRows: [
    {
      name: "repeated rows add up",
      operands: [ints([2, 2], 0, 2, 2, 2), spread([2, 2, 3])],
      build: ([i, u], graph) => graph.emit("scatterRows", [i!, u!], { rows: 4 }),
    },
    {
      name: "elements",
      operands: [ints([3], 1, 1, 0), spread([3])],
      build: ([i, u], graph) => graph.emit("scatterRows", [i!, u!], { rows: 2 }),
    },
  ],
  gatherLast: [
    { name: "matrix", operands: floatAndInt, build: ([x, i]) => primitives.gatherLast(x!, i!) },
    {
      name: "vector",
      operands: [spread([4]), ints([], 3)],
      build: ([x, i]) => primitives.gatherLast(x!, i!),
    },
    {
      name: "batched",
      operands: [spread([2, 2, 3]), ints([2, 2], 0, 1, 2, 0)],
      build: ([x, i]) => primitives.gatherLast(x!, i!),
    },
  ],
  scatterLast: [
    {
      name: "matrix",
      operands: [spread([2, 3]), ints([2], 2, 0), spread([2], 4)],
      build: ([base, i, u], graph) => graph.emit("scatterLast", [base!, i!, u!], {}),
    },
  ],

  softmax: [
    ...unaryCases(primitives.softmax, spread).filter((each) => each.name !== "()"),
    { ...extremes(primitives.softmax), operands: [floats(-1e9, 0, 1, 100)] },
  ],
  logSoftmax: [
    ...unaryCases(primitives.logSoftmax, spread).filter((each) => each.name !== "()"),
    { ...extremes(primitives.logSoftmax), operands: [floats(-1e9, 0, 1, 100)] },
  ],
  swiGlu: [
    {
      name: "matrix",
      operands: [spread([2, 3], 1), spread([2, 3], 2)],
      build: ([g, u]) => primitives.swiGlu(g!, u!),
    },
    {
      name: "one operand twice",
      operands: [spread([3])],
      build: ([g]) => primitives.swiGlu(g!, g!),
    },
    {
      name: "found by simplification",
      operands: [spread([3], 1), spread([3], 2)],
      build: ([g, u]) => primitives.mul(u!, primitives.silu(g!)),
    },
  ],
  rmsNorm: [
    {
      name: "matrix",
      operands: [spread([3, 4], 1), positive([4], 2)],
      build: ([x, w]) => primitives.rmsNorm(x!, w!),
    },
    {
      name: "batched",
      operands: [spread([2, 2, 3], 1), spread([3], 2)],
      build: ([x, w]) => primitives.rmsNorm(x!, w!, { epsilon: 0.1 }),
    },
    {
      name: "size 1",
      operands: [spread([2, 1], 1), spread([1], 2)],
      build: ([x, w]) => primitives.rmsNorm(x!, w!, { epsilon: 0.5 }),
    },
    {
      name: "tiny values",
      operands: [floats(1e-6, -2e-6), floats(1, 2)],
      build: ([x, w]) => primitives.rmsNorm(x!, w!),
      ...noGradient,
    },
  ],
  inverseRms: [
    {
      name: "alone",
      operands: [spread([2, 3])],
      build: ([x], graph) => graph.emit("inverseRms", [x!], { epsilon: 0.01 }),
    },
    {
      name: "beside its norm",
      operands: [spread([2, 3], 1), spread([3], 2)],
      build: ([x, w], graph) => {
        const normalised = primitives.rmsNorm(x!, w!, { epsilon: 0.01 });
        return primitives.mul(normalised, graph.emit("inverseRms", [x!], { epsilon: 0.01 }));
      },
    },
    {
      name: "beside a norm of another epsilon",
      operands: [spread([2, 3], 1), spread([3], 2)],
      build: ([x, w], graph) => {
        const normalised = primitives.rmsNorm(x!, w!, { epsilon: 0.5 });
        return primitives.mul(normalised, graph.emit("inverseRms", [x!], { epsilon: 0.01 }));
      },
    },
  ],
  rotaryEmbedding: rotaryCases,
};
