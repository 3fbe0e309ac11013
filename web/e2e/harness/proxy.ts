// What stands between a browser and a server: a proxy that may hold back streams, and a line that may go dead.

import { createServer, request, type Server, type ServerResponse } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createLine,
  type Server as LineServer,
  type Socket,
} from "node:net";

/** Passes requests on. While it is `buffering` the body of an event stream arrives when the stream ends, not before. */
export class Middleman {
  buffering = false;
  readonly #server: Server;

  private constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#server = createServer((asked, answer) => {
      const { method, url, headers } = asked;
      const onward = request({ hostname, port, method, path: url, headers }, (answered) => {
        answer.writeHead(answered.statusCode ?? 502, answered.headers);
        const isStream = answered.headers["content-type"] === "text/event-stream";
        if (isStream && this.buffering) hold(answered, answer);
        else answered.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      answer.on("close", () => onward.destroy());
      asked.pipe(onward);
    });
  }

  static async before(target: string): Promise<Middleman> {
    const proxy = new Middleman(target);
    await new Promise<void>((listening) => proxy.#server.listen(0, "127.0.0.1", listening));
    return proxy;
  }

  get url(): string {
    return urlOf(this.#server);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function hold(from: NodeJS.ReadableStream, to: ServerResponse): void {
  to.flushHeaders();
  const held: Buffer[] = [];
  from.on("data", (bytes: Buffer) => held.push(bytes));
  from.on("end", () => to.end(Buffer.concat(held)));
}

/** Passes bytes on. While it is `dead` they are lost, and nobody is told. */
export class Line {
  #dead = false;
  readonly #server: LineServer;
  readonly #sockets = new Set<Socket>();

  private constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#server = createLine((near) => {
      const far = connect({ host: hostname, port: Number(port) });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (bytes) => {
          if (!this.#dead) to.write(bytes);
        });
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          if (!this.#dead) to.destroy();
        });
      }
    });
  }

  static async before(target: string): Promise<Line> {
    const line = new Line(target);
    await new Promise<void>((listening) => line.#server.listen(0, "127.0.0.1", listening));
    return line;
  }

  get url(): string {
    return urlOf(this.#server);
  }

  die(): void {
    this.#dead = true;
  }

  /** New connections pass; those that were open while it was dead have lost bytes, and end. */
  heal(): void {
    this.#dead = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.heal();
    this.#server.close();
  }
}

function urlOf(server: Server | LineServer): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
