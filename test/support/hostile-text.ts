/** Model outputs that try to leave their place on a page: markup, attributes, reordering marks, size. */
const HOSTILE: readonly string[] = [
  `<script>document.title = "hacked"</script></pre></bdi><script>alert(1)</script>`,
  `"><img src=x onerror="document.title='hacked'"> ' onmouseover='alert(1)' <svg/onload=alert(2)>`,
  `\u202Ereversed \u2066isolated \u200F marks \u0000 \u001b[31m \ufeff \ud83d lone surrogate`,
  `${"9".repeat(100_000)}`,
  `</style><style>body{display:none}</style><!-- <link rel=stylesheet href=http://example.invalid/x.css> ]]>`,
  `<a href="javascript:document.title='hacked'">click</a>&lt;b&gt;&#x3c;script&#x3e;`,
];

/** The `index`-th hostile text; they repeat. */
export function hostileText(index: number): string {
  return HOSTILE[index % HOSTILE.length] as string;
}
