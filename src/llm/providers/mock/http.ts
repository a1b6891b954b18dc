/** Requests and responses of a mock server: paths, keys, bodies, forms. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { MockRoute } from "./faults.ts";

/** What a request to the mock is about. */
export interface Call {
  readonly route: MockRoute;
  readonly interface: "anthropic" | "openai";
  readonly id: string | undefined;
}

const LARGEST_BODY = 300e6;

/** Paths of both interfaces. */
const ROUTES: readonly (readonly [string, RegExp, MockRoute, Call["interface"]])[] = [
  ["POST", /^\/v1\/messages$/, "message", "anthropic"],
  ["POST", /^\/v1\/messages\/count_tokens$/, "count", "anthropic"],
  ["POST", /^\/v1\/messages\/batches$/, "batch-create", "anthropic"],
  ["GET", /^\/v1\/messages\/batches$/, "batch-list", "anthropic"],
  ["GET", /^\/v1\/messages\/batches\/([^/]+)$/, "batch-status", "anthropic"],
  ["GET", /^\/v1\/messages\/batches\/([^/]+)\/results$/, "batch-results", "anthropic"],
  ["POST", /^\/v1\/chat\/completions$/, "message", "openai"],
  ["POST", /^\/v1\/files$/, "upload", "openai"],
  ["POST", /^\/v1\/batches$/, "batch-create", "openai"],
  ["GET", /^\/v1\/batches$/, "batch-list", "openai"],
  ["GET", /^\/v1\/batches\/([^/]+)$/, "batch-status", "openai"],
  ["GET", /^\/v1\/files\/([^/]+)\/content$/, "batch-results", "openai"],
];

/** The call that a method and a path stand for. */
export function routeOf(method: string, path: string): Call | undefined {
  for (const [verb, pattern, route, of] of ROUTES) {
    const match = method === verb ? pattern.exec(path) : null;
    if (match !== null) return { route, interface: of, id: match[1] };
  }
  return undefined;
}

/** The key in either interface's header. */
export function keyOf({ headers }: IncomingMessage): string {
  const own = headers["x-api-key"];
  return typeof own === "string" ? own : (headers.authorization ?? "").replace(/^Bearer /, "");
}

/** The whole body of a request. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > LARGEST_BODY) throw new Error("the body is too long");
  }
  return Buffer.concat(chunks);
}

/** The file in a form. */
export function uploadedText(form: Buffer): string {
  const text = form.toString("utf8");
  const boundary = text.slice(0, text.indexOf("\r\n"));
  const part = text.split(boundary).find((piece) => piece.includes("filename="));
  if (part === undefined) throw new Error("the form has no file");
  return part.slice(part.indexOf("\r\n\r\n") + 4, part.lastIndexOf("\r\n"));
}

/** Sends a whole response. */
export function reply(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** Waits. */
export function delay(ms: number): Promise<void> {
  // The open port keeps the process alive, not what is slow on purpose.
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
