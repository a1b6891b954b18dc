/** Life of a server: it listens, and stops by finishing what runs while refusing what is new. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { RunError } from "../util/errors.ts";
import { type AppOptions, createApp } from "./app.ts";

export interface ServeOptions extends Omit<AppOptions, "isStopping"> {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export interface RunningServer {
  readonly url: string;
  /** Finishes the running answers, then closes; the engine is left to its owner. */
  stop(): Promise<void>;
}

/**
 * Starts to listen.
 * @throws RunError `server.cannot_listen`
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  let stopping = false;
  const app = createApp({ ...options, isStopping: () => stopping });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  // Longer than clients and proxies keep an unused connection, so that none sends into one that is being closed.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const where = `${options.host}:${options.port}`;
      reject(
        new RunError(`serving at ${where}: ${cause.message}`, {
          code: "server.cannot_listen",
          hint: "choose another --port, or --port 0 for a free one",
          cause,
        }),
      );
    });
    server.listen(options.port, options.host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;
  return {
    url: `http://${host}:${port}`,
    async stop() {
      stopping = true;
      await options.engine.idle();
      // A connection is busy until its client has the last byte, and then idle; idle ones would hold up the end.
      const sweep = setInterval(() => server.closeIdleConnections(), 20);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearInterval(sweep);
    },
  };
}
