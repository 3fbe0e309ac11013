// One stream of the leader, told as facts: what it covers never changes, so every fact of it says what it is good for.

import type { Connect, Connection, ConnectionState, ConnectOptions, Interest } from "../connection.js";
import { contains, parseCursor } from "../cursor.js";
import type { Environment } from "../environment.js";
import type { OutboxEvent } from "../protocol.js";
import { epochOf } from "./feed.js";
import type { Fact } from "./news.js";

/** As many as a tab remembers to have had. */
const MAX_UNCLAIMED = 4_096;

/** Where a stream begins. */
export interface Start {
  readonly interest: Interest;
  /** Empty: at the head. */
  readonly cursor: string;
  readonly life: string;
}

export class Strand {
  readonly covers: Interest;
  #place: string;
  #life: string;
  /**
   * Had, but not claimed by the cursor yet, which may be a write behind, or say less than it stands for. They are told
   * again until it claims them: whoever has missed an earlier fact must not be told of a cursor without its events.
   */
  #events: OutboxEvent[] = [];
  #isBroken = false;
  /** Not while it is being made: whoever makes it knows that. */
  #isHeard = false;
  readonly #connection: Connection;

  /** `onFact` is told all that changes; most of its facts are that nothing has moved. */
  constructor(
    start: Start,
    options: ConnectOptions,
    open: Connect,
    environment: Environment,
    newLife: () => string,
    onFact: (fact: Fact, state: ConnectionState) => void,
  ) {
    this.covers = start.interest;
    this.#place = start.cursor;
    this.#life = start.life;
    const { cursor: lastEventId } = start;
    this.#connection = open(
      { ...options, ...start.interest, lastEventId: lastEventId || undefined, storage: undefined },
      {
        onEvent: (event) => this.#events.push(event),
        onReset: () => {
          this.#isBroken = true;
        },
        onState: (state) => {
          if (this.#isHeard) onFact(this.#next(state.cursor, newLife), state);
        },
      },
      environment,
    );
    this.#isHeard = true;
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** The last place of which all is told. */
  get start(): Start {
    return { interest: this.covers, cursor: this.#place, life: this.#life };
  }

  reconnect(): void {
    this.#connection.reconnect();
  }

  close(): void {
    this.#isHeard = false;
    this.#connection.close();
  }

  #next(to: string, newLife: () => string): Fact {
    const from = this.#place;
    const { covers } = this;
    if (to === from) return { from, to, events: [], life: this.#life, covers };
    const events = this.#events;
    const claimed = parseCursor(to);
    this.#events = events
      .filter(({ id }) => !claimed || !contains(claimed, BigInt(id)))
      .slice(-MAX_UNCLAIMED);
    this.#place = to;
    const goesOn = !this.#isBroken && (from === "" || epochOf(from) === epochOf(to));
    this.#isBroken = false;
    if (goesOn) return { from, to, events, life: this.#life, covers };
    // What each tab has missed, the server knows: it will be asked, from where the tab is, so these come again.
    this.#events = [];
    this.#life = newLife();
    return { from: to, to, events: [], life: this.#life, covers };
  }
}
