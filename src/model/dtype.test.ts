import { expect, test } from "vitest";
import { narrow, widen } from "./dtype.ts";

const ALL_BITS = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

function widened(dtype: "float16" | "bfloat16"): Float32Array {
  const values = new Float32Array(65_536);
  widen(ALL_BITS, dtype, values);
  return values;
}

test("known numbers of both types", () => {
  const [half, brain] = [widened("float16"), widened("bfloat16")];
  // Bits from the definitions in IEEE 754-2019, section 3.4, and of bfloat16 as the upper half of a float32.
  expect([0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00].map((bits) => half[bits])).toEqual([
    1,
    -2,
    2 ** -24,
    65_504,
    Number.POSITIVE_INFINITY,
  ]);
  expect([0x3f80, 0xc040, 0x0080, 0x7f80].map((bits) => brain[bits])).toEqual([
    1,
    -3,
    2 ** -126,
    Number.POSITIVE_INFINITY,
  ]);
});

test.each(["float16", "bfloat16"] as const)("every %s survives the way there and back", (dtype) => {
  const values = widened(dtype);
  const back = narrow(values, dtype);
  for (let bits = 0; bits < 65_536; bits += 1) {
    if (Number.isNaN(values[bits]))
      expect((back[bits]! & 0x3f) !== 0 || back[bits]! & 0x200).toBeTruthy();
    else if (back[bits] !== bits) expect.fail(`${bits} became ${back[bits]}`);
  }
});

test.each(["float16", "bfloat16"] as const)(
  "numbers between two of %s go to the nearer, ties to the even one",
  (dtype) => {
    const values = widened(dtype);
    const last = dtype === "float16" ? 0x7bff : 0x7f7f; // largest finite
    const [below, tie, above] = [[], [], []] as [number[], number[], number[]];
    const scratch = new Float32Array(1);
    const word = new Uint32Array(scratch.buffer);
    const neighbour = (x: number, step: number) => {
      scratch[0] = x;
      word[0]! += step;
      return scratch[0]!;
    };
    for (let bits = 0; bits < last; bits += 1) {
      const middle = (values[bits]! + values[bits + 1]!) / 2; // exact in float32
      tie.push(middle);
      below.push(neighbour(middle, -1));
      above.push(neighbour(middle, 1));
    }
    const rounded = (list: number[]) => narrow(Float32Array.from(list), dtype);
    const [fromBelow, fromTie, fromAbove] = [below, tie, above].map(rounded) as Uint16Array[];
    for (let bits = 0; bits < last; bits += 1) {
      const found = [fromBelow![bits], fromTie![bits], fromAbove![bits]].join();
      const expected = [bits, bits + (bits & 1), bits + 1].join();
      if (found !== expected)
        expect.fail(`between ${bits} and ${bits + 1}: ${found}, not ${expected}`);
    }
  },
);

test("numbers beyond the largest float16 become infinite from half a unit above it", () => {
  const found = narrow(Float32Array.of(65_519, 65_520, -70_000, Number.NaN), "float16");
  expect([...found]).toEqual([0x7bff, 0x7c00, 0xfc00, 0x7e00]);
});
