// An incremental parser of Server-Sent Events, as the HTML standard has it ("9.2.6 Interpreting an event stream"):
// bytes in, whichever way they were cut, messages out. It knows nothing of rowcast and does no I/O.

/** One dispatched message. */
export interface SseMessage {
  /** The `event:` field, or `message`. */
  readonly event: string;
  readonly data: string;
  /** The stream's last event id once this message has been dispatched; it persists until a later `id:`. */
  readonly lastEventId: string;
}

/** A message longer than this (in UTF-16 units) is not ours: events are far smaller than a thousandth of it. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** Bytes into messages, as the HTML standard has it, in pieces of any size. */
export class SseParser {
  /** What a reconnect sends as Last-Event-ID. Set when a block ends, by a block without data too. */
  lastEventId: string;
  /** The last `retry:` in milliseconds. */
  retry: number | undefined;

  // Strips one leading byte order mark and replaces malformed sequences, as the standard asks.
  readonly #decoder = new TextDecoder();
  #line = "";
  /** A CR ended the last line: an LF that follows belongs to it, even in the next chunk. */
  #afterCr = false;
  #event = "";
  #data = "";
  #hasData = false;
  #id: string;

  constructor(lastEventId = "") {
    this.lastEventId = lastEventId;
    this.#id = lastEventId;
  }

  /** Takes the next bytes and returns the messages that they complete. What is left of a block is kept. */
  push(bytes: Uint8Array): SseMessage[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    const messages: SseMessage[] = [];
    if (text === "") return messages;
    let from = this.#afterCr && text.startsWith("\n") ? 1 : 0;
    this.#afterCr = false;
    let lf = text.indexOf("\n", from);
    let cr = text.indexOf("\r", from);
    while (lf >= 0 || cr >= 0) {
      const endsWithCr = cr >= 0 && (lf < 0 || cr < lf);
      const end = endsWithCr ? cr : lf;
      const line = this.#line + text.slice(from, end);
      this.#line = "";
      from = end + 1;
      if (endsWithCr) {
        if (from === text.length) this.#afterCr = true;
        else if (text[from] === "\n") from += 1;
        cr = text.indexOf("\r", from);
      }
      if (lf >= 0 && lf < from) lf = text.indexOf("\n", from);
      if (line === "") this.#dispatch(messages);
      else this.#field(line);
    }
    this.#line += text.slice(from);
    if (this.#line.length + this.#data.length > MAX_MESSAGE) throw new RangeError("a message is too long");
    return messages;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    switch (name) {
      case "data":
        this.#data = this.#hasData ? `${this.#data}\n${value}` : value;
        this.#hasData = true;
        break;
      case "event":
        this.#event = value;
        break;
      case "id":
        if (!value.includes("\0")) this.#id = value;
        break;
      case "retry":
        if (/^[0-9]+$/.test(value)) this.retry = Number(value);
        break;
    }
  }

  #dispatch(messages: SseMessage[]): void {
    this.lastEventId = this.#id;
    if (this.#hasData) {
      messages.push({ event: this.#event || "message", data: this.#data, lastEventId: this.#id });
    }
    this.#event = "";
    this.#data = "";
    this.#hasData = false;
  }
}
