// By which way events come: streams where they pass, polls where something in between holds streams back, and back again.

import type { Environment } from "../environment.js";
import { AGAIN, type RowcastError } from "../errors.js";
import { load } from "../load.js";
import type { Fallback } from "./fallback.js";
import type { Request } from "./request.js";
import { readStream } from "./stream.js";
import { BY_ITSELF, isGreeting, type Read } from "./transport.js";

/** Silences in a row, of streams that had begun well, after which it is no accident. */
const SILENCES = 2;

type OnRead = (read: Read) => void;

export class Carrier {
  readonly #environment: Environment;
  #fallback: Fallback | undefined;
  #polls = false;
  /** Streams begin well and fall silent: heartbeats are held back, greetings are not. */
  #greetingsPass = false;
  #silences = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** As `ReadEvents`. Ends with `AGAIN` when the next attempt will go another way. */
  read(request: Request, abort: AbortController, onRead: OnRead): Promise<RowcastError> {
    const { streams, openEventSource } = this.#environment;
    const canStream = streams() || openEventSource !== undefined;
    return canStream && !this.#polls
      ? this.#stream(request, abort, onRead)
      : this.#poll(request, abort, onRead, canStream);
  }

  async #stream(request: Request, abort: AbortController, onRead: OnRead): Promise<RowcastError> {
    const { now, streams } = this.#environment;
    const readEvents = streams() ? readStream : (await load(import("./eventsource.js"))).readEventSource;
    let isAccepted = false;
    let greetedAt = Number.POSITIVE_INFINITY;
    const end = await readEvents(request, abort, this.#environment, (read) => {
      isAccepted = true;
      if (isGreeting(read)) greetedAt = now();
      else if (now() - greetedAt >= BY_ITSELF) this.#silences = 0;
      onRead(read);
    });
    if (end.kind !== "silent") return end;
    this.#greetingsPass = Number.isFinite(greetedAt);
    this.#silences += 1;
    if (this.#greetingsPass && this.#silences < SILENCES) return end;
    this.#silences = 0;
    this.#polls = true;
    // Where there was no answer at all it may as well be the network.
    return isAccepted ? AGAIN : end;
  }

  async #poll(request: Request, abort: AbortController, onRead: OnRead, canStream: boolean) {
    const onStream = () => {
      this.#polls = false;
    };
    try {
      this.#fallback ??= new (await load(import("./fallback.js"))).Fallback(this.#environment);
    } catch (thrown) {
      onStream();
      throw thrown;
    }
    const streams = {
      open: (each: Request, own: AbortController, tell: OnRead) => this.#stream(each, own, tell),
      greetingsPass: () => this.#greetingsPass,
    };
    return this.#fallback.read(request, abort, onRead, canStream ? streams : undefined, onStream);
  }
}
