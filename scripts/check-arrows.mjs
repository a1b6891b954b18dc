/**
 * Checks the arrows between rooms: what a folder under src/ may import (ARCHITECTURE.md), that no files import each
 * other in a circle, which packages are confined to one place, and that the clock, environment, argv, console and exit
 * are used only at the edge. Reads the syntax tree, so that strings and comments do not count. With a folder as
 * argument, checks that folder in place of src/.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const root = path.resolve(import.meta.dirname, "..");
const source = path.resolve(process.argv[2] ?? path.join(root, "src"));

/** Rooms that a room may import, besides itself; `*` is every room. */
const ARROWS = {
  util: [],
  random: ["util"],
  data: ["util"],
  countdown: ["util", "random", "data"],
  engine: ["util"],
  model: ["engine", "random", "data", "util"],
  training: ["model", "engine", "countdown", "sampling", "random", "data", "util"],
  priming: ["countdown", "model", "behaviours", "random", "data", "util"],
  sampling: ["model", "countdown", "random", "data", "util"],
  llm: ["util", "data"],
  server: ["model", "engine", "util"],
  behaviours: ["countdown", "data", "util"],
  analysis: ["data", "random", "util"],
  report: ["analysis", "data", "util"],
  study: ["*"],
  cli: ["*"],
  index: ["*"],
};
/** Rooms that nothing but the listed rooms may import, `*` notwithstanding. */
const ONLY_FROM = { cli: ["cli"], server: ["cli", "index"], study: ["cli", "index"] };

/** Packages that may be imported only below a path. */
const CONFINED = [
  { packages: /^onnxruntime-/, below: "engine/runtime/" },
  { packages: /^hyparquet/, below: "data/" },
  { packages: /^(hono|@hono\/)/, below: "server/" },
  { packages: /^commander$/, below: "cli/" },
  { packages: /^(@anthropic-ai\/sdk|openai|undici)(\/|$)/, below: "llm/providers/" },
  { packages: /^pure-rand/, below: "random/" },
];

/** Global names that only the command line may use; the worker entry passes its clock to the stages. */
const EDGE = [
  /^Date\.now$/,
  /^performance\.now$/,
  /^Math\.random$/,
  /^process\.(env|argv|exit|exitCode|stdout|stderr|stdin)$/,
  /^console\.\w+$/,
];
const EDGE_ALLOWED = ["cli/", "study/worker.ts"];

const isTest = (file) => /\.(test|bench)\.ts$/.test(file);
const files = readdirSync(source, { recursive: true })
  .map((file) => file.split(path.sep).join("/"))
  .filter((file) => file.endsWith(".ts") && !isTest(file))
  .sort();

const problems = [];
/** Imports between files that are needed at run time, for the search for circles. */
const graph = new Map();

for (const file of files) {
  const tree = ts.createSourceFile(
    file,
    readFileSync(path.join(source, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const imported = [];
  graph.set(file, imported);
  const report = (node, text) => {
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
    problems.push(`src/${file}:${line + 1}: ${text}`);
  };
  const checkImport = (node, specifier, isTypeOnly) => {
    if (specifier.startsWith(".")) {
      const target = path.posix.join(path.posix.dirname(file), specifier);
      if (!isTypeOnly) imported.push(target);
      const text = arrowProblem(roomOf(file), roomOf(target));
      if (text !== undefined) report(node, text);
      return;
    }
    for (const { packages, below } of CONFINED) {
      if (packages.test(specifier) && !file.startsWith(below) && !isTypeOnly) {
        report(node, `"${specifier}" may be imported only in src/${below}`);
      }
    }
  };
  const visit = (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const clause = ts.isImportDeclaration(node) ? node.importClause : node;
      checkImport(node, node.moduleSpecifier.text, isTypeOnly(clause));
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      // A module that is loaded on demand cannot be in a circle of the initial load.
      if (ts.isStringLiteral(argument)) checkImport(node, argument.text, true);
    } else if (ts.isPropertyAccessExpression(node)) {
      const name = `${node.expression.getText()}.${node.name.text}`;
      const atEdge = EDGE_ALLOWED.some((place) => file.startsWith(place));
      if (!atEdge && EDGE.some((pattern) => pattern.test(name))) {
        report(node, `${name} may be used only in src/cli/`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
}

function isTypeOnly(clause) {
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings ?? clause.exportClause;
  const elements = named?.elements;
  return elements !== undefined && clause.name === undefined && elements.every((e) => e.isTypeOnly);
}

function roomOf(file) {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : file.replace(/\.ts$/, "");
}

function arrowProblem(from, to) {
  if (from === to) return undefined;
  const allowed = ARROWS[from];
  if (allowed === undefined) return `the room "${from}" is not in scripts/check-arrows.mjs`;
  const only = ONLY_FROM[to];
  if (only !== undefined && !only.includes(from)) return `${from} may not import ${to}`;
  if (allowed.includes("*") || allowed.includes(to)) return undefined;
  return `${from} may import only ${allowed.join(", ") || "nothing"}, not ${to}`;
}

/** Reports each circle once, from the first of its files. */
function findCircles() {
  const state = new Map();
  const trail = [];
  const walk = (file) => {
    if (state.get(file) === "done" || !graph.has(file)) return;
    if (state.get(file) === "open") {
      const circle = [...trail.slice(trail.indexOf(file)), file];
      problems.push(`src/${file}:1: imports go in a circle: ${circle.join(" -> ")}`);
      return;
    }
    state.set(file, "open");
    trail.push(file);
    for (const target of graph.get(file)) walk(target);
    trail.pop();
    state.set(file, "done");
  };
  for (const file of files) walk(file);
}

findCircles();
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} import problems; the rules are in ARCHITECTURE.md`);
  process.exit(1);
}
console.log(`arrows: ${files.length} files, no problem`);
