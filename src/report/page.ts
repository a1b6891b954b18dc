/**
 * The page: sections in order, style sheet and script inlined, and a content security policy that forbids every request
 * and every script but ours. The page is complete without its script.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { PublishedResult } from "../analysis/published/schema.ts";
import type { TrainingCurves } from "../analysis/training-curves.ts";
import { armRules } from "./arm-style.ts";
import { bestOfNSection } from "./best-of-n.ts";
import { claimsSection } from "./claims-table.ts";
import type { ReportContext, Section } from "./context.ts";
import { differencesSection } from "./differences.ts";
import { emergenceSection, validitySection } from "./emergence-tables.ts";
import { habitsSection, lengthSection } from "./habits.ts";
import { type Html, html, trusted } from "./html.ts";
import { outcomesSection } from "./outcome-tables.ts";
import { accuracySection, outcomeFigure } from "./outcomes.ts";
import { primingSection } from "./priming.ts";
import { publishedSection } from "./published.ts";
import { type ArmSamples, samplesSection } from "./samples.ts";
import { settingsSection } from "./settings.ts";
import { summaryParagraph } from "./summary.ts";
import { trainingSection } from "./training.ts";

/** Everything that the page shows. */
export interface PageContent extends ReportContext {
  readonly training: readonly TrainingCurves[];
  readonly samples: readonly ArmSamples[];
  /** Results of others to lay over ours; empty for none. */
  readonly published: readonly PublishedResult[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly manifest: Readonly<Record<string, unknown>>;
}

function asset(name: string): string {
  return readFileSync(new URL(`./${name}`, import.meta.url), "utf8");
}

/** The whole HTML document. */
export function renderPage(content: PageContent): string {
  const { comparison } = content;
  const script = asset("report.client.js");
  const hash = createHash("sha256").update(script).digest("base64");
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const numbers = Buffer.from(JSON.stringify(comparison)).toString("base64");
  const sections = sectionsOf(content);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${comparison.study} · Four Habits</title>
<style>${trusted(asset("report.css"))}${trusted(armRules(content.styles))}</style>
</head>
<body>
<header>
<p class="kicker">Four Habits · study ${comparison.study}</p>
<h1>Which habits pay under reinforcement learning?</h1>
${summaryParagraph(content)}
${outcomeFigure(content)}
<nav aria-label="Sections">${sections.map((one) => html`<a href="#${one.id}">${one.title}</a>`)}</nav>
</header>
<main>
${sections.map(
  (one) => html`<section id="${one.id}"><h2>${one.title}</h2>\n${one.body}</section>\n`,
)}
</main>
<footer><p>Made by four-habits. All numbers of this page:
<a download="comparison.json" href="data:application/json;base64,${numbers}">comparison.json</a>.</p></footer>
<script>${trusted(script)}</script>
</body>
</html>
`.text;
}

function sectionsOf(content: PageContent): Section[] {
  const { comparison } = content;
  const section = (id: string, title: string, body: Html): Section => ({ id, title, body });
  const measured = comparison.arms.some((arm) => arm.steps.length > 0);
  return [
    section("claims", "Claims", claimsSection(content)),
    ...(measured
      ? [
          section("accuracy", "Accuracy", accuracySection(content)),
          section("habits", "Habits", habitsSection(content)),
          section("length", "Length", lengthSection(content)),
        ]
      : []),
    ...(comparison.differences.length > 0
      ? [section("differences", "Against unprimed", differencesSection(content))]
      : []),
    ...(comparison.outcomes.length > 0
      ? [section("outcomes", "Habit and outcome", outcomesSection(content))]
      : []),
    ...(measured
      ? [
          section("emergence", "When it begins", emergenceSection(content)),
          section("validity", "Are the habits real?", validitySection(content)),
          section("tokens", "Best of n at equal tokens", bestOfNSection(content)),
        ]
      : []),
    ...(content.published.length > 0
      ? [section("published", "Published results", publishedSection(content, content.published))]
      : []),
    ...(content.training.length > 0
      ? [section("training", "Training", trainingSection(content, content.training))]
      : []),
    ...(comparison.priming.length > 0
      ? [section("priming", "Priming traces", primingSection(content))]
      : []),
    ...(content.samples.length > 0
      ? [section("samples", "Completions", samplesSection(content, content.samples))]
      : []),
    section(
      "method",
      "Method and settings",
      html`${method()}${settingsSection(content.settings, content.manifest)}`,
    ),
  ];
}

function method(): Html {
  return html`<div class="prose"><p>The seed is the unit. With two seeds or more an interval is a Student t interval over
the means of the seeds; for ratios it is formed on the logarithm with Welch's degrees of freedom, and for differences on
the seeds' mean differences over the same puzzles. With one seed the interval is over puzzles (Wilson for shares,
bootstrap for ratios and differences), is marked <sup>p</sup> or “one seed”, and says nothing about other seeds.</p>
<p>A claim holds or fails only where its interval settles it by the rule written beside it; otherwise it is
undecided. Accuracy is the share of completions with the right answer at each condition's last step.</p></div>`;
}
