// Polls, with a stream tried beside them now and then, which takes over when it passes.

import { follow } from "../abort.js";
import type { Environment } from "../environment.js";
import { AGAIN, type ErrorKind, RowcastError } from "../errors.js";
import { readPolls } from "./poll.js";
import { Probe } from "./probe.js";
import type { Request } from "./request.js";
import type { Read } from "./transport.js";

/** What says something about us, or about the server, and not about what is in between. */
const SPOKEN: ReadonlySet<ErrorKind> = new Set(["unauthorized", "forbidden", "limited"]);

type OnRead = (read: Read) => void;

export interface Streams {
  open(request: Request, abort: AbortController, onRead: OnRead): Promise<RowcastError>;
  /** Whether a greeting proves nothing. */
  greetingsPass(): boolean;
}

export class Fallback {
  readonly #environment: Environment;
  readonly #probe: Probe;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#probe = new Probe(environment);
  }

  /** As `ReadEvents`. `onStream` is called when streams are to be used again. */
  async read(
    request: Request,
    abort: AbortController,
    onRead: OnRead,
    streams: Streams | undefined,
    onStream: () => void,
  ): Promise<RowcastError> {
    const polls = follow(abort.signal);
    let { cursor } = request;
    let isAnswered = false;
    let hasPassed = false;
    const stream = streams && {
      open: (own: AbortController, tell: OnRead) => streams.open({ ...request, cursor }, own, tell),
      greetingsPass: streams.greetingsPass,
      onPass: () => {
        hasPassed = true;
        onStream();
        polls.abort(AGAIN);
      },
      onRead,
    };
    const probed = stream && this.#probe.run(stream, abort.signal);
    const end = await readPolls(request, polls, this.#environment, (read) => {
      isAnswered = true;
      ({ cursor } = read);
      onRead(read);
    });
    if (hasPassed) return (await probed) ?? end;
    abort.abort(AGAIN);
    if (!streams || isAnswered || SPOKEN.has(end.kind)) return end;
    // Then it is not streams that are held back.
    onStream();
    return end.final
      ? new RowcastError("protocol", `streams are silent, and polls refused: ${end.message}`)
      : end;
  }
}
