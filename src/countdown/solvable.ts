/**
 * Whether numbers can make a target at all: the fast test of the generator, about 3 microseconds for four numbers.
 *
 * Fractions are merged two by two, depth first, with an early exit. They are kept up to sign: a difference is formed
 * once, and the last comparison is of absolute values. That loses nothing for numbers and targets that are not
 * negative, since an expression with a free sign (one that holds a difference) reaches both v and -v.
 */
import { fitsDoubles } from "./rational.ts";
import { countSolutions } from "./solver.ts";

/** True when some expression that uses each number once equals the target. Exact for numbers of any size. */
export function isSolvable(numbers: readonly number[], target: number): boolean {
  if (numbers.length === 0) return false;
  if (!fitsDoubles(numbers, target)) {
    return countSolutions({ numbers, target }) > 0;
  }
  // Level k of the search holds k fractions in its own stretch of the stack.
  const size = numbers.length;
  const numerators = new Float64Array((size * (size + 1)) / 2);
  const denominators = new Float64Array(numerators.length).fill(1);
  const base = ((size - 1) * size) / 2;
  numbers.forEach((number, i) => {
    numerators[base + i] = number;
  });
  return search(numerators, denominators, size, Math.abs(target));
}

/** Searches the level of `size` fractions, which starts at size (size - 1) / 2. Hot loop: non-null by construction. */
function search(p: Float64Array, q: Float64Array, size: number, target: number): boolean {
  const base = ((size - 1) * size) / 2;
  if (size === 1) return Math.abs(p[base]!) === target * Math.abs(q[base]!);
  if (size === 2) return reaches(p[base]!, q[base]!, p[base + 1]!, q[base + 1]!, target);
  const next = base - (size - 1);
  for (let i = 1; i < size; i += 1) {
    for (let j = 0; j < i; j += 1) {
      let write = next;
      for (let k = 0; k < size; k += 1) {
        if (k === i || k === j) continue;
        p[write] = p[base + k]!;
        q[write] = q[base + k]!;
        write += 1;
      }
      const a = p[base + i]!;
      const b = q[base + i]!;
      const c = p[base + j]!;
      const d = q[base + j]!;
      q[write] = b * d;
      p[write] = a * d + c * b;
      if (search(p, q, size - 1, target)) return true;
      p[write] = a * d - c * b;
      q[write] = b * d;
      if (search(p, q, size - 1, target)) return true;
      p[write] = a * c;
      q[write] = b * d;
      if (search(p, q, size - 1, target)) return true;
      if (c !== 0) {
        p[write] = a * d;
        q[write] = b * c;
        if (search(p, q, size - 1, target)) return true;
      }
      if (a !== 0) {
        p[write] = c * b;
        q[write] = d * a;
        if (search(p, q, size - 1, target)) return true;
      }
    }
  }
  return false;
}

/** True when a/b and c/d make the target, up to sign, in one operation. */
function reaches(a: number, b: number, c: number, d: number, target: number): boolean {
  const x = a * d;
  const y = c * b;
  const goal = target * Math.abs(b * d);
  if (Math.abs(x + y) === goal || Math.abs(x - y) === goal || Math.abs(a * c) === goal) return true;
  if (y !== 0 && Math.abs(x) === target * Math.abs(y)) return true;
  return x !== 0 && Math.abs(y) === target * Math.abs(x);
}
