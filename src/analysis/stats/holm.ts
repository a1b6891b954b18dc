/**
 * Holm's step-down adjustment (Holm 1979): holds the chance of any false finding in a family at the level, whatever the
 * dependence of its tests. Chosen over Benjamini-Hochberg because each cell of our tables is read as a finding of its
 * own, and because habits of one text and arms with one reference are dependent in ways that nobody knows.
 */

/**
 * Adjusted p-values in the order given: with p sorted ascending, max over j <= i of min(1, (m - j + 1) p_j).
 * A test without a p-value (null) is not part of the family and stays null.
 */
export function holmAdjust(pValues: readonly (number | null)[]): (number | null)[] {
  const family = pValues.flatMap((p, at) => (p === null ? [] : [{ p, at }]));
  family.sort((a, b) => a.p - b.p || a.at - b.at);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let highest = 0;
  family.forEach(({ p, at }, rank) => {
    highest = Math.max(highest, Math.min(1, (family.length - rank) * p));
    adjusted[at] = highest;
  });
  return adjusted;
}
