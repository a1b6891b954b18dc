/**
 * Matchers for arrays of numbers; tests import this file for its effect. `toBeAllClose` compares element by element as
 * numpy's allclose does, with equal infinities and NaN with NaN counting as close.
 */
import { expect } from "vitest";

export interface Tolerance {
  /** Share of the expected magnitude that may differ; default 1e-5. */
  readonly relative?: number;
  /** Difference that is always allowed; default 1e-6. */
  readonly absolute?: number;
}

interface NumberMatchers<R = unknown> {
  /** Every element lies within `absolute + relative · |expected|` of the expected one. */
  toBeAllClose(expected: ArrayLike<number>, tolerance?: Tolerance): R;
  /** The value's `shape` is exactly this list. */
  toHaveShape(shape: readonly number[]): R;
}

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration must repeat vitest's own type parameter
  interface Assertion<T = any> extends NumberMatchers<T> {}
  interface AsymmetricMatchersContaining extends NumberMatchers {}
}

function isClose(found: number, expected: number, { relative = 1e-5, absolute = 1e-6 }: Tolerance) {
  if (Object.is(found, expected) || found === expected) return true;
  return Math.abs(found - expected) <= absolute + relative * Math.abs(expected);
}

expect.extend({
  toBeAllClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance = {}) {
    const sameLength = found.length === expected.length;
    const misses = Array.from(found).flatMap((x, i) =>
      sameLength && isClose(x, expected[i]!, tolerance) ? [] : [i],
    );
    const [first] = misses;
    return {
      pass: sameLength && misses.length === 0,
      message: () => {
        if (!sameLength) return `expected ${expected.length} elements, found ${found.length}`;
        if (first === undefined) return "expected at least one element to differ";
        const where = `first at ${first}: found ${found[first]}, expected ${expected[first]}`;
        return `${misses.length} of ${found.length} elements differ, ${where}`;
      },
    };
  },
  toHaveShape(found: { readonly shape: readonly number[] }, shape: readonly number[]) {
    const pass = this.equals(found.shape, shape);
    return { pass, message: () => `expected shape (${shape}), found (${found.shape})` };
  },
});
