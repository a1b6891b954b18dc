/**
 * The whole values in a range that some numbers can make: the fast enumeration of the generator.
 *
 * The forms of n numbers are the same whatever the numbers are. They are therefore enumerated once for each n, with
 * an arithmetic that records every operation as an instruction on slots; the numbers are then put through that straight
 * program. Values are taken without their sign, which loses nothing for numbers and targets that are not negative: an
 * expression that can be negative has a free sign. The program costs about 10 microseconds for four numbers.
 */
import { visitForms } from "./forms.ts";
import { type Arithmetic, fitsDoubles } from "./rational.ts";
import { checkNumbers, profileNumbers } from "./solver.ts";

/** Inclusive range of targets, not negative. */
export interface TargetRange {
  readonly minTarget: number;
  readonly maxTarget: number;
}

/**
 * Whole values in the range that use each number once, ascending. Exact for numbers of any size.
 * @throws UsageError `countdown.bad_numbers` for more than six numbers
 */
export function reachableTargets(
  numbers: readonly number[],
  { minTarget, maxTarget }: TargetRange,
): number[] {
  checkNumbers(numbers);
  const found = new Set<number>();
  if (fitsDoubles(numbers, maxTarget)) {
    const program = programFor(numbers.length);
    run(program, numbers);
    collect(program, { minTarget, maxTarget }, found);
  } else {
    for (const value of profileNumbers(numbers).hits.keys()) {
      if (value >= minTarget && value <= maxTarget) found.add(value);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** True when some expression that uses each number once equals the target. */
export function isSolvable(numbers: readonly number[], target: number): boolean {
  return reachableTargets(numbers, { minTarget: target, maxTarget: target }).length > 0;
}

/** Straight code over slots: the first slots hold the numbers, instruction i writes slot `size + i`. */
interface Program {
  readonly size: number;
  readonly operations: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Slots of the forms over all the numbers. */
  readonly results: Int32Array;
  /** Slots at work; overwritten by each run. */
  readonly p: Float64Array;
  readonly q: Float64Array;
}

/** Operations by code. */
const OPERATIONS = ["+", "-", "*", "/", "reciprocal"] as const;

const programs: (Program | undefined)[] = [];

function programFor(size: number): Program {
  programs[size] ??= compile(size);
  return programs[size];
}

/** Records every operation that makes the forms of `size` distinct numbers, each once. */
function compile(size: number): Program {
  const operations: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const known = new Map<string, number>();
  const record = (operation: (typeof OPERATIONS)[number], a: number, b: number): number => {
    const key = `${a}${operation}${b}`;
    let slot = known.get(key);
    if (slot === undefined) {
      slot = size + operations.length;
      known.set(key, slot);
      operations.push(OPERATIONS.indexOf(operation));
      left.push(a);
      right.push(b);
    }
    return slot;
  };
  const recorder: Arithmetic<number> = {
    fromNumber: (slot) => slot,
    combine: record,
    reciprocal: (slot) => record("reciprocal", slot, slot),
  };
  const slots = Array.from({ length: size }, (_, slot) => slot);
  const results: number[] = [];
  visitForms(slots, recorder, (form) => results.push(form.value));
  return {
    size,
    operations: Uint8Array.from(operations),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    results: Int32Array.from(results),
    p: new Float64Array(size + operations.length),
    q: new Float64Array(size + operations.length).fill(1),
  };
}

/** Hot loop: non-null by construction. A value that divides by zero has denominator 0, and so has all that uses it. */
function run({ size, operations, left, right, p, q }: Program, numbers: readonly number[]): void {
  p.set(numbers);
  for (let i = 0; i < operations.length; i += 1) {
    const a = p[left[i]!]!;
    const b = q[left[i]!]!;
    const c = p[right[i]!]!;
    const d = q[right[i]!]!;
    const operation = operations[i]!;
    let numerator: number;
    let denominator = b * d;
    if (operation === 0) numerator = a * d + c * b;
    else if (operation === 1) numerator = a * d - c * b;
    else if (operation === 2) numerator = a * c;
    else {
      const divisor = d === 0 ? 0 : c; // a quotient by a value that is none is none
      numerator = operation === 3 ? a * d : d;
      denominator = operation === 3 ? b * divisor : divisor;
    }
    p[size + i] = numerator;
    q[size + i] = denominator;
  }
}

function collect(
  { results, p, q }: Program,
  { minTarget, maxTarget }: TargetRange,
  found: Set<number>,
): void {
  for (let i = 0; i < results.length; i += 1) {
    const numerator = Math.abs(p[results[i]!]!);
    const denominator = Math.abs(q[results[i]!]!);
    if (numerator > maxTarget * denominator || numerator < minTarget * denominator) continue;
    if (denominator === 0) continue;
    const value = numerator / denominator;
    // The quotient may have been rounded to a whole number; the product of whole numbers is exact.
    if (value === Math.floor(value) && value * denominator === numerator) found.add(value);
  }
}
