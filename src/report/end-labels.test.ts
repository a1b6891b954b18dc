import fc from "fast-check";
import { expect, it } from "vitest";
import { spread } from "./end-labels.ts";

const GAP = 10;

it("leaves positions alone that are far enough apart", () => {
  expect(spread([50, 10, 30], GAP, 100)).toEqual([50, 10, 30]);
});

it("moves a colliding group apart around its own middle", () => {
  expect(spread([50, 50, 50], GAP, 100)).toEqual([40, 50, 60]);
  expect(spread([0, 1], GAP, 100)).toEqual([0, 10]); // no room below 0
});

it("keeps the gap, the order and the range whenever all fit", () => {
  const wanted = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), {
    minLength: 1,
    maxLength: 11,
  });
  fc.assert(
    fc.property(wanted, (positions) => {
      const placed = spread(positions, GAP, 100);
      const order = positions
        .map((_, at) => at)
        .sort((a, b) => (positions[a] as number) - (positions[b] as number));
      for (let i = 0; i < order.length; i += 1) {
        const at = placed[order[i] as number] as number;
        expect(at).toBeGreaterThanOrEqual(-1e-9);
        expect(at).toBeLessThanOrEqual(100 + 1e-9);
        if (i > 0)
          expect(at - (placed[order[i - 1] as number] as number)).toBeGreaterThan(GAP - 1e-9);
      }
    }),
  );
});
