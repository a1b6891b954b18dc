import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { html, modelText, trusted } from "./html.ts";

/** Text content and element count of markup inside a div, by an HTML parser that is not ours. */
function parsed(markup: string) {
  const { document } = parseHTML(`<html><body><div id="box">${markup}</div></body></html>`);
  const box = document.getElementById("box") as unknown as {
    textContent: string;
    querySelectorAll(selector: string): { length: number };
  };
  return { text: box.textContent, elements: box.querySelectorAll("*").length };
}

describe("the template tag", () => {
  it("escapes values in content and in attributes, and leaves markup alone", () => {
    const hostile = `"><script>x</script>'&`;
    const page = html`<p title="${hostile}">${hostile}${html`<b>${1}</b>`}${[html`<i></i>`, 2, null, false]}</p>`;
    expect(page.text).toBe(
      '<p title="&quot;&gt;&lt;script&gt;x&lt;/script&gt;&#39;&amp;">' +
        "&quot;&gt;&lt;script&gt;x&lt;/script&gt;&#39;&amp;<b>1</b><i></i>2</p>",
    );
    expect(html`${trusted("<hr>")}`.text).toBe("<hr>");
  });

  it("keeps any text as text: a parser finds the same characters and no element", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
        const found = parsed(html`${text}`.text);
        expect(found.elements).toBe(0);
        expect(found.text).toBe(text);
      }),
    );
  });
});

describe("model text", () => {
  it("shows marks that reorder or hide text, control characters and lone surrogates", () => {
    const shown = modelText("a\u202eb\u0000\u200f\u2066\ufeff\ud800c\udc00").text;
    for (const code of ["202E", "0000", "200F", "2066", "FEFF", "D800", "DC00"]) {
      expect(shown).toContain(`<span class="invisible">U+${code}</span>`);
    }
    expect(shown.replace(/<span class="invisible">U\+[0-9A-F]{4}<\/span>/g, "")).toBe("abc");
  });

  it("leaves ordinary text of any script, emoji, tabs and line feeds as they are", () => {
    const text = "plain\ttext\nעברית العربية 漢字 😀";
    expect(modelText(text).text).toBe(text);
  });
});
