/**
 * A server on 127.0.0.1 that speaks both interfaces over real HTTP, batches and files included, and fails as its script
 * says. It keeps its own count of what it did, against which ledgers are checked. Used by the tests and by
 * `--provider mock`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../../util/errors.ts";
import * as anthropic from "./anthropic.ts";
import { type MockBatch, type MockBatchItem, spoilLines } from "./batches.ts";
import { type Fault, FaultPlan, type FaultScript, type MockRoute } from "./faults.ts";
import { type Call, delay, keyOf, readBody, reply, routeOf, uploadedText } from "./http.ts";
import {
  type MockAnswer,
  type MockPrompt,
  mockAnswer,
  type Respond,
  respondWithHash,
} from "./model.ts";
import * as openai from "./openai.ts";

/** A point in the life of a call at which a test may step in. */
export interface MockMoment {
  readonly route: MockRoute;
  /** `received`: nothing is done yet; `done`: the work is done, nothing is sent; `half`: half of the body is sent. */
  readonly phase: "received" | "done" | "half";
}

/** How a mock server behaves. */
export interface MockServerOptions {
  readonly now: () => number;
  readonly respond?: Respond;
  readonly faults?: FaultScript;
  /** Time to each answer. Default 0. */
  readonly latencyMs?: number;
  /** The only key that is let in; any without it. */
  readonly key?: string;
  /** Times that a batch is asked for before it has ended. Default 1. */
  readonly pollsToEnd?: number;
  /** Rate-limit headers of every response to a message. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly onMoment?: (moment: MockMoment) => void;
}

/** What a server has done, by its own count. */
export interface MockLedger {
  /** Calls for a message, refused ones included. */
  calls: number;
  /** Answers that were sent whole. */
  answers: number;
  /** Answers that were made and did not reach the client. */
  lost: number;
  inputTokens: number;
  outputTokens: number;
  /** Most calls under way at once. */
  mostAtOnce: number;
  /** Answers made for each custom identifier in any batch; more than one is a double submission. */
  readonly batchAnswers: Map<string, number>;
  readonly batches: MockBatch[];
}

/** A running mock server. */
export interface MockServer extends AsyncDisposable {
  /** Without a path; OpenAI's interface stands under `/v1`. */
  readonly url: string;
  readonly ledger: MockLedger;
}

/** Starts a mock server on a free port. */
export async function startMockServer(options: MockServerOptions): Promise<MockServer> {
  const mock = new Mock(options);
  const server = createServer((request, response) => {
    mock.serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else reply(response, 500, anthropic.errorBody(500, `mock server: ${messageOf(error)}`));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  mock.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: mock.url, ledger: mock.ledger, [Symbol.asyncDispose]: () => close(server) };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

class Mock {
  url = "";
  readonly ledger: MockLedger = {
    calls: 0,
    answers: 0,
    lost: 0,
    inputTokens: 0,
    outputTokens: 0,
    mostAtOnce: 0,
    batchAnswers: new Map(),
    batches: [],
  };
  readonly #options: MockServerOptions;
  readonly #faults: FaultPlan;
  readonly #files = new Map<string, string>();
  #underWay = 0;

  constructor(options: MockServerOptions) {
    this.#options = options;
    this.#faults = new FaultPlan(options.faults ?? {});
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const path = new URL(request.url ?? "/", "http://mock").pathname;
    const call = routeOf(request.method ?? "GET", path);
    if (call === undefined) return reply(response, 404, anthropic.errorBody(404, `no ${path}`));
    const isAnthropic = call.interface === "anthropic";
    const errorBody = isAnthropic ? anthropic.errorBody : openai.errorBody;
    const key = keyOf(request);
    this.#moment(call.route, "received");
    if (this.#options.key !== undefined && key !== this.#options.key) {
      return reply(response, 401, errorBody(401, "this key is not known"));
    }
    const fault = this.#faults.next(call.route);
    if (fault?.kind === "status") {
      const headers: Record<string, string> =
        fault.retryAfterS === undefined ? {} : { "retry-after": String(fault.retryAfterS) };
      if (call.route === "message") this.ledger.calls += 1;
      const error = openai.errorBody(fault.status, "mock fault", fault.code);
      return reply(
        response,
        fault.status,
        isAnthropic ? errorBody(fault.status, "mock fault") : error,
        headers,
      );
    }
    if (fault?.kind === "cut" && fault.when === "before") return void response.destroy();
    if (fault?.kind === "echo-key" && fault.status !== undefined) {
      return reply(response, fault.status, errorBody(fault.status, `key ${key} is bad`));
    }
    if (fault?.kind === "slow") await delay(fault.ms);
    const version = request.headers["anthropic-version"];
    const apiVersion = Array.isArray(version) ? version[0] : version;
    const work = { call, body, fault, key, apiVersion };
    if (call.route === "message") await this.#message(work, response);
    else await this.#other(work, response);
  }

  async #message(
    { call, body, fault, key, apiVersion }: Work,
    response: ServerResponse,
  ): Promise<void> {
    const { ledger } = this;
    ledger.calls += 1;
    this.#underWay += 1;
    ledger.mostAtOnce = Math.max(ledger.mostAtOnce, this.#underWay);
    try {
      if ((this.#options.latencyMs ?? 0) > 0) await delay(this.#options.latencyMs ?? 0);
      const isAnthropic = call.interface === "anthropic";
      const value: unknown = JSON.parse(body.toString("utf8"));
      const prompt = isAnthropic
        ? anthropic.readMessages(value, apiVersion)
        : openai.readChat(value);
      if (typeof prompt === "string") {
        const error = isAnthropic
          ? anthropic.errorBody(400, prompt)
          : openai.errorBody(400, prompt);
        return reply(response, 400, error);
      }
      const answer = this.#answer(prompt, fault, key);
      this.#moment(call.route, "done");
      const id = `req_${ledger.calls}`;
      const made = isAnthropic
        ? anthropic.messageBody(id, prompt.model, answer)
        : openai.completionBody(id, prompt.model, answer);
      const text = fault?.kind === "malformed" ? malformedBody(fault) : JSON.stringify(made);
      const whole = await this.#send(response, { call, text, cut: cutOf(fault) });
      if (whole && fault?.kind !== "malformed") {
        ledger.answers += 1;
        ledger.inputTokens += answer.inputTokens;
        ledger.outputTokens += answer.outputTokens;
      } else ledger.lost += 1;
    } finally {
      this.#underWay -= 1;
    }
  }

  #answer(prompt: MockPrompt, fault: Fault | undefined, key: string): MockAnswer {
    const respond = this.#options.respond ?? respondWithHash;
    const { kind } = fault ?? {};
    if (kind === "echo-key") return mockAnswer(prompt, () => `your key is ${key}`);
    const isOdd = kind === "refusal" || kind === "empty" || kind === "max-tokens";
    return mockAnswer(prompt, respond, isOdd ? kind : undefined);
  }

  async #other({ call, body, fault, apiVersion }: Work, response: ServerResponse): Promise<void> {
    const cut = cutOf(fault);
    const send = async (value: unknown): Promise<void> => {
      this.#moment(call.route, "done");
      const text = fault?.kind === "malformed" ? malformedBody(fault) : JSON.stringify(value);
      await this.#send(response, { call, text, cut });
    };
    const isAnthropic = call.interface === "anthropic";
    const show = (batch: MockBatch): object =>
      isAnthropic ? anthropic.batchBody(batch, this.url) : openai.batchBody(batch);
    const refuse = (status: number, message: string): void =>
      reply(
        response,
        status,
        isAnthropic ? anthropic.errorBody(status, message) : openai.errorBody(status, message),
      );
    if (call.route === "count") {
      const prompt = anthropic.readMessages(
        { max_tokens: 1, ...JSON.parse(body.toString()) },
        apiVersion,
      );
      if (typeof prompt === "string") return refuse(400, prompt);
      return send({ input_tokens: mockAnswer(prompt, () => "").inputTokens });
    }
    if (call.route === "upload") {
      const id = `file-${this.#files.size + 1}`;
      this.#files.set(id, uploadedText(body));
      return send({ id, object: "file", purpose: "batch" });
    }
    if (call.route === "batch-create") {
      const made = this.#create(call, body, apiVersion);
      return typeof made === "string" ? refuse(400, made) : send(show(made));
    }
    if (call.route === "batch-list") {
      const data = [...this.ledger.batches].reverse().map(show);
      return send({ object: "list", data, has_more: false, first_id: null, last_id: null });
    }
    const batch = this.ledger.batches.find(
      ({ id, number }) =>
        id === call.id || call.id?.endsWith(`put-${number}`) || call.id === `file-error-${number}`,
    );
    if (batch === undefined) return refuse(404, `no batch ${call.id}`);
    if (call.route === "batch-status") {
      const shown = show(batch);
      batch.pollsLeft -= 1;
      return send(shown);
    }
    const text = this.#results(batch, call);
    this.#moment(call.route, "done");
    const cutOnce = batch.faults.includes("cut") && !batch.wasCut;
    if (cutOnce) batch.wasCut = true;
    await this.#send(response, { call, text, cut: cutOnce ? "middle" : cut });
  }

  #create(call: Call, body: Buffer, apiVersion: string | undefined): MockBatch | string {
    const value = JSON.parse(body.toString("utf8")) as Record<string, unknown>;
    const inputFile = typeof value.input_file_id === "string" ? value.input_file_id : null;
    const items: MockBatchItem[] | string =
      call.interface === "anthropic"
        ? anthropic.readBatch(value, apiVersion)
        : openai.readBatchFile(this.#files.get(inputFile ?? "") ?? "");
    if (typeof items === "string") return items;
    if (items.length === 0) return "no requests";
    const number = this.ledger.batches.length + 1;
    const batch: MockBatch = {
      id: `${call.interface === "anthropic" ? "msgbatch" : "batch"}_${number}`,
      number,
      createdAtMs: this.#options.now(),
      items,
      inputFile,
      metadata: (value.metadata ?? null) as MockBatch["metadata"],
      faults: this.#faults.ofBatch(number),
      pollsLeft: this.#options.pollsToEnd ?? 1,
      wasCut: false,
    };
    this.ledger.batches.push(batch);
    const counts = this.ledger.batchAnswers;
    for (const { customId } of items) counts.set(customId, (counts.get(customId) ?? 0) + 1);
    return batch;
  }

  /** The text of a results file; OpenAI has one for answers and one for errors. */
  #results(batch: MockBatch, call: Call): string {
    const lines: string[] = [];
    for (const [at, { prompt }] of batch.items.entries()) {
      const answer = mockAnswer(prompt, this.#options.respond ?? respondWithHash);
      if (call.interface === "anthropic") {
        lines.push(anthropic.resultLine(batch, at, answer));
        continue;
      }
      const line = openai.resultLine(batch, at, answer);
      if (line.includes('"status_code":200') === call.id?.includes("output")) lines.push(line);
    }
    return spoilLines(batch, lines);
  }

  /** Sends a body; false when the client does not have it whole. */
  async #send(
    response: ServerResponse,
    { call, text, cut }: { call: Call; text: string; cut: "after" | "middle" | undefined },
  ): Promise<boolean> {
    if (cut === "after") {
      response.destroy();
      return false;
    }
    const bytes = Buffer.from(text);
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": bytes.length,
      ...(call.route === "message" && this.#options.headers),
    });
    if (cut === undefined && this.#options.onMoment === undefined) {
      response.end(bytes);
      return true;
    }
    const half = Math.ceil(bytes.length / 2);
    await new Promise<void>((resolve) => response.write(bytes.subarray(0, half), () => resolve()));
    this.#moment(call.route, "half");
    if (cut === "middle") {
      await delay(20); // lets the first half reach the client
      response.destroy();
      return false;
    }
    response.end(bytes.subarray(half));
    return true;
  }

  #moment(route: MockRoute, phase: MockMoment["phase"]): void {
    this.#options.onMoment?.({ route, phase });
  }
}

interface Work {
  readonly call: Call;
  readonly body: Buffer;
  readonly fault: Fault | undefined;
  readonly key: string;
  readonly apiVersion: string | undefined;
}

function cutOf(fault: Fault | undefined): "after" | "middle" | undefined {
  return fault?.kind === "cut" && fault.when !== "before" ? fault.when : undefined;
}

function malformedBody(fault: { form?: "json" | "shape" }): string {
  return fault.form === "shape" ? '{"unexpected":true}' : '{"id": "broken';
}
