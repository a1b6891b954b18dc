/** Numbers behind a figure as a table that is folded away: for reading without sight, for copying, and for print. */
import type { Interval } from "../analysis/stats/index.ts";
import type { ArmStyle } from "./arm-style.ts";
import { type Html, html } from "./html.ts";

export interface NumberTable {
  readonly caption: string;
  /** Small type on a line of its own below each value, for tables of many columns. */
  readonly stacked?: boolean;
  readonly columns: readonly (Html | string)[];
  readonly rows: readonly {
    readonly head: Html | string;
    readonly cells: readonly (Html | string)[];
  }[];
}

/** Tables folded away under a figure. */
export function foldedTables(tables: readonly NumberTable[]): Html {
  return html`<details class="numbers"><summary>Numbers</summary>${tables.map(plainTable)}</details>`;
}

/** A table that scrolls by itself when it is wider than the page. */
export function plainTable(table: NumberTable): Html {
  return html`<p class="table-title">${table.caption}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${table.caption}"><table class="${table.stacked === true ? "data stacked" : "data"}">
<thead><tr>${table.columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${table.rows.map(
    (row) =>
      html`<tr><th scope="row">${row.head}</th>${row.cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`,
  )}</tbody></table></div>`;
}

/** Name of an arm with a dot in its colour. */
export function armHead(style: ArmStyle): Html {
  return html`<span class="dot" style="background:var(--arm-${style.index})"></span>${style.label}`;
}

/** A value with its interval in small type; a puzzle-level interval carries a mark that the caption explains. */
export function valueCell(
  value: number | null,
  interval: Interval,
  format: (value: number) => string,
): Html {
  if (value === null) return html`<span class="none">–</span>`;
  if (interval.kind === "undefined") return html`${format(value)}`;
  const mark = interval.over === "puzzles" && html`<sup title="over puzzles, not seeds">p</sup>`;
  return html`${format(value)} <small>${format(interval.lower)}–${format(interval.upper)}${mark}</small>`;
}
