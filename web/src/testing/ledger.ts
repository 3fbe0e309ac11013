// A server by its contract, in memory: events that commit in any order, streams and polls that go on from any cursor.

import { contains, formatCursor, parseCursor } from "../cursor.js";
import type { EventType, OutboxEvent } from "../protocol.js";
import type { Page } from "./browser.js";
import { statusFrame } from "./server.js";

const encoder = new TextEncoder();

interface Stream {
  readonly page: Page;
  readonly types: string | null;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Ids that it has been told of. */
  readonly sent: Set<number>;
}

export interface Written {
  readonly id: number;
  readonly type: EventType;
  readonly row: number;
}

export class Ledger {
  /** In the order of their commits. */
  readonly committed: Written[] = [];
  readonly open: Written[] = [];
  readonly streams = new Set<Stream>();
  /** Requests of streams so far. */
  opened = 0;
  polls = 0;
  /** Commits that polls do not see yet, as on another instance that is behind. */
  behind = 0;
  /** The answer to every stream and poll that asks for one of these types. */
  forbidden: EventType[] = [];
  /** The answer to everything, unless it is undefined. */
  status: number | undefined;
  /** A cursor that lacks an id up to here cannot be served any more. */
  expired = 0;
  /** Frames without an `id:`, whose cursor comes with the next write. */
  splits = false;
  #ids = 0;
  #connections = 0;

  /** Begins to write a row. No other transaction may write it until this one has ended. */
  begin(type: EventType, row: number): void {
    if (this.open.some((other) => other.row === row)) return;
    this.#ids += 1;
    this.open.push({ id: this.#ids, type, row });
  }

  commit(index: number): void {
    const [written] = this.open.splice(index % Math.max(this.open.length, 1), 1);
    if (!written) return;
    this.committed.push(written);
    for (const stream of [...this.streams]) this.#send(stream);
  }

  write(type: EventType, row = this.#ids): void {
    this.begin(type, row);
    this.commit(this.open.length - 1);
  }

  /** The id that the last transaction has drawn. */
  get last(): number {
    return this.#ids;
  }

  heartbeat(): void {
    for (const stream of [...this.streams])
      this.#push(stream, `id: ${this.#cursor(stream.sent)}\nevent: cursor\ndata: {}\n\n`);
  }

  /** The network fails. */
  cut(page?: Page): void {
    for (const stream of [...this.streams]) {
      if (page && stream.page !== page) continue;
      this.streams.delete(stream);
      stream.page.deliver(() => stream.controller.error(new TypeError("network error")));
    }
  }

  say(data: object): void {
    for (const stream of [...this.streams]) this.#push(stream, statusFrame(data));
  }

  fetch = async (url: string, init: RequestInit, page: Page): Promise<Response> => {
    const { pathname, searchParams } = new URL(url, "https://app.example");
    const signal = init.signal as AbortSignal;
    if (signal.aborted) throw signal.reason;
    const types = searchParams.get("subscriptions");
    const asked: readonly string[] = types?.split(",") ?? this.forbidden;
    if (this.status !== undefined) return refusalOf(this.status);
    if (asked.some((type) => this.forbidden.some((other) => other === type))) return refusalOf(403);
    if (pathname.endsWith("/events")) return this.#poll(searchParams.get("after") ?? "", types);
    return this.#stream(new Headers(init.headers).get("last-event-id"), types, page, signal);
  };

  #poll(after: string, types: string | null): Response {
    this.polls += 1;
    const visible = this.committed.slice(0, this.committed.length - this.behind);
    this.behind = Math.max(this.behind - 1, 0);
    if (this.#lost(after)) {
      const cursor = this.#cursor(new Set(visible.map(({ id }) => id)));
      return Response.json({ events: [], cursor, reset: "history_expired" });
    }
    const had = claimed(after, this.#ids);
    // Pages are small, so that more than one is needed.
    const page = visible
      .filter(({ id }) => !had.has(id))
      .sort(byId)
      .slice(0, 3);
    const cursor = this.#cursor(new Set([...had, ...page.map(({ id }) => id)]));
    return Response.json({ events: page.filter(wanted(types)).map(toEvent), cursor });
  }

  #stream(after: string | null, types: string | null, page: Page, signal: AbortSignal): Response {
    this.opened += 1;
    this.#connections += 1;
    const { status, connectionId } = { status: "connected", connectionId: `c-${this.#connections}` };
    const isLost = after !== null && this.#lost(after);
    const head = new Set(this.committed.map(({ id }) => id));
    const sent = after === null || isLost ? head : claimed(after, this.#ids);
    let stream: Stream | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        stream = { page, types, controller, sent };
        this.streams.add(stream);
      },
    });
    const end = () => stream && this.streams.delete(stream);
    page.onCrash(end);
    signal.addEventListener("abort", () => {
      end();
      stream?.controller.error(signal.reason);
    });
    if (stream) {
      const id = isLost || after === null ? this.#cursor(sent) : after;
      this.#push(stream, statusFrame({ status, connectionId, subscriptions: types?.split(",") ?? [] }, id));
      if (isLost) this.#push(stream, statusFrame({ status: "reset", reason: "history_expired" }, id));
      this.#send(stream);
    }
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  #send(stream: Stream): void {
    const page = this.committed.filter(({ id }) => !stream.sent.has(id)).sort(byId);
    if (page.length === 0) return;
    for (const { id } of page) stream.sent.add(id);
    const frames = page
      .filter(wanted(stream.types))
      .map((written) => `event: ${written.type}\ndata: ${JSON.stringify(toEvent(written))}\n\n`);
    const cursor = `id: ${this.#cursor(stream.sent)}\nevent: cursor\ndata: {}\n\n`;
    if (!this.splits) this.#push(stream, `${frames.join("")}${cursor}`);
    else {
      for (const frame of frames) this.#push(stream, frame);
      if (page.length % 2 === 0) this.#push(stream, cursor);
    }
  }

  #push(stream: Stream, text: string): void {
    stream.page.deliver(() => {
      if (this.streams.has(stream)) stream.controller.enqueue(encoder.encode(text));
    });
  }

  #lost(cursor: string): boolean {
    const had = claimed(cursor, this.#ids);
    return this.committed.some(({ id }) => id <= this.expired && !had.has(id));
  }

  #cursor(ids: ReadonlySet<number>): string {
    const high = Math.max(0, ...ids);
    const gaps: (readonly [bigint, bigint])[] = [];
    for (let id = 1; id < high; id += 1) if (!ids.has(id)) gaps.push([BigInt(id), BigInt(id)]);
    return formatCursor({ high: BigInt(high), gaps, epoch: 0 });
  }
}

function claimed(cursor: string, last: number): Set<number> {
  const parsed = parseCursor(cursor);
  const ids = Array.from({ length: last }, (_, n) => n + 1);
  return new Set(parsed ? ids.filter((id) => contains(parsed, BigInt(id))) : []);
}

const byId = (a: Written, b: Written) => a.id - b.id;

const wanted =
  (types: string | null) =>
  ({ type }: Written) =>
    types === null || types.split(",").includes(type);

function toEvent({ id, type, row }: Written): OutboxEvent {
  const timestamp = new Date(0).toISOString();
  const event = {
    id: String(id),
    type,
    timestamp,
    priority: "low",
    operation: "UPDATE",
    key: String(row),
    data: {},
  };
  // The data of these events is nobody's concern here.
  return event as unknown as OutboxEvent;
}

function refusalOf(status: number): Response {
  return Response.json(
    { success: false, error: { code: "test", message: `answered ${status}` } },
    { status },
  );
}
