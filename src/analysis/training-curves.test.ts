import { expect, it } from "vitest";
import { meanByStep, thin } from "./training-curves.ts";

it("averages a key over seeds by step and passes over null, missing and non-finite values", () => {
  const rows = [
    { step: 2, "kl/reference": 0.2 },
    { step: 1, "kl/reference": 0.1 },
    { step: 1, "kl/reference": 0.3 },
    { step: 2, "kl/reference": null },
    { step: 3 },
    { step: 4, "kl/reference": Number.NaN },
  ];
  expect(meanByStep(rows, "kl/reference")).toEqual([
    { step: 1, value: 0.2 },
    { step: 2, value: 0.2 },
  ]);
});

it("thins a long curve by averaging blocks, which keeps its mean", () => {
  const points = Array.from({ length: 250 }, (_, at) => ({ step: at + 1, value: at % 7 }));
  const thinned = thin(points, 50);
  expect(thinned).toHaveLength(50);
  expect(thinned[0]).toEqual({ step: 3, value: 2 }); // steps 1 to 5, values 0 to 4
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(thinned.map((p) => p.value))).toBeCloseTo(mean(points.map((p) => p.value)), 12);
  expect(thin(points, 250)).toEqual(points);
});
