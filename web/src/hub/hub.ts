// One connection for everybody on a page who wants events. It opens with the first and closes with the last, covers what
// any of them wants, and gives each what it asked for, as it comes. Framework-free.

import { connect as connectAlone } from "../connect.js";
import {
  type Connect,
  type ConnectionState,
  type ConnectOptions,
  type Interest,
  initialState,
  type WantOptions,
} from "../connection.js";
import { parseCursor } from "../cursor.js";
import { browser, type Environment } from "../environment.js";
import type { RowcastError } from "../errors.js";
import { union } from "../interest.js";
import type { EventType } from "../protocol.js";
import { type Consumer, Place } from "./place.js";
import { earliest } from "./recent.js";
import { Supply } from "./supply.js";

/** What the one connection is made of. */
export interface HubOptions extends Omit<ConnectOptions, keyof Interest | "lastEventId"> {
  /** `connectTabs` shares the stream with the other tabs. `connect`. */
  connect?: Connect | undefined;
}

/** What one of those who share a connection wants of it. */
export interface SeatOptions extends WantOptions {
  /** The types that begin at `since`. Absent: those that are added. */
  types?: readonly EventType[] | undefined;
}

/** A consumer's place in the hub. */
export interface Seat {
  /**
   * Changes what the consumer wants. Resolves once the stream has it; rejects with a `RowcastError`, and then nothing
   * has changed. What is wanted in one tick is asked for together, so it is granted or refused together.
   */
  want(interest: Interest, options?: SeatOptions): Promise<void>;
  leave(): void;
}

/** One connection for everybody on a page. */
export interface Hub {
  /** Of the one connection. */
  readonly state: ConnectionState;
  /** Holds the connection open until the seat is left. Events begin after it has returned. */
  join(consumer: Consumer): Seat;
  /** Follows the state without holding the connection open. */
  watch(onState: (state: ConnectionState) => void): () => void;
  /** Begins, or begins again at once, whatever it is waiting for. */
  reconnect(): void;
  /** Ends the connection for all, until `reconnect`, or until everybody has left and somebody joins again. */
  disconnect(): void;
}

/** A change that is not in force yet. */
interface Wish {
  readonly place: Place;
  readonly before: Interest;
  resolve(): void;
  reject(error: RowcastError): void;
}

/**
 * Makes a hub; nothing is requested before somebody joins. Where consumers differ about `reconnectDelay` and
 * `maxReconnectAttempts`, the most persistent of those who are there when the connection is opened wins; the options count
 * when none of them says anything.
 */
export function createHub(options: HubOptions = {}, environment: Environment = browser): Hub {
  return new PageHub(options, environment);
}

class PageHub implements Hub {
  readonly #options: HubOptions;
  readonly #environment: Environment;
  // Replaced, never changed in place: they are walked while consumers come and go.
  #places: readonly Place[] = [];
  #watchers: readonly ((state: ConnectionState) => void)[] = [];
  #state = initialState;
  #supply: Supply | undefined;
  #wishes: Wish[] = [];
  #stopped = false;
  #due = false;

  constructor(options: HubOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  readonly join = (consumer: Consumer): Seat => {
    const place = new Place(consumer, this.#environment.reportError);
    this.#places = [...this.#places, place];
    this.#lookSoon();
    return {
      want: (interest, options = {}) => this.#want(place, interest, options),
      leave: () => {
        place.leave();
        this.#places = this.#places.filter((other) => other !== place);
        this.#lookSoon();
      },
    };
  };

  readonly watch = (onState: (state: ConnectionState) => void): (() => void) => {
    this.#watchers = [...this.#watchers, onState];
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== onState);
    };
  };

  readonly reconnect = (): void => {
    this.#stopped = false;
    if (this.#supply) this.#supply.reconnect();
    else this.#lookSoon();
  };

  readonly disconnect = (): void => {
    this.#stopped = true;
    this.#supply?.disconnect();
  };

  #want(place: Place, interest: Interest, { since, types }: SeatOptions): Promise<void> {
    const before = place.interest;
    place.interest = interest;
    if (since !== undefined) place.begin(types ?? added(before, interest), since);
    this.#lookSoon();
    return new Promise((resolve, reject) => this.#wishes.push({ place, before, resolve, reject }));
  }

  /** Not at once: many come in one tick, and React's strict mode lets go and takes hold again in the same breath. */
  #lookSoon(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#look();
    });
  }

  /** Sees to it that the connection is what the places need. */
  #look(): void {
    const needed = union(this.#places.map(({ interest }) => interest));
    if (this.#places.length === 0) {
      this.#stopped = false;
      this.#hangUp();
    } else if (!this.#supply) this.#open(needed);
    else if (this.#state.cursor === "" && this.#places.some(({ isNew }) => isNew)) {
      // Nothing has come yet, so it costs nothing to begin where the newcomer does.
      this.#hangUp();
      this.#open(needed);
    } else {
      const sinces = this.#places.flatMap((place) => this.#serve(place, needed));
      this.#supply.need(needed, earliest(sinces));
    }
    this.#grant();
  }

  #open(needed: Interest): void {
    if (this.#stopped || needed.subscriptions?.length === 0) return;
    const { connect = connectAlone } = this.#options;
    // What the connection before has left says nothing of this one.
    this.#state = initialState;
    const starts = this.#places.flatMap((place) => place.takeStarts());
    this.#supply = new Supply(
      this.#request(needed, earliest(starts.map(({ since }) => since))),
      connect,
      this.#environment,
      {
        onEvent: (event) => {
          for (const place of this.#places) place.offer(event);
        },
        onReset: (reason) => {
          for (const place of this.#places) place.reset(reason);
        },
        onState: (state) => this.#follow(state),
        onSettled: () => {
          this.#grant();
          this.#tell();
        },
        onRefused: (error) => this.#refuse(error),
      },
    );
  }

  #hangUp(): void {
    this.#supply?.close();
    this.#supply = undefined;
  }

  #request(needed: Interest, lastEventId: string | undefined): ConnectOptions {
    const { connect: _, ...options } = this.#options;
    const delays = this.#places.flatMap(({ consumer }) => consumer.reconnectDelay ?? []);
    const attempts = this.#places.flatMap(({ consumer }) => consumer.maxReconnectAttempts ?? []);
    return {
      ...options,
      ...needed,
      lastEventId,
      reconnectDelay: delays.length > 0 ? Math.min(...delays) : options.reconnectDelay,
      maxReconnectAttempts: attempts.length > 0 ? Math.max(...attempts) : options.maxReconnectAttempts,
      debug: (message, detail) => {
        const listeners = new Set([
          this.#options.debug,
          ...this.#places.map(({ consumer }) => consumer.debug),
        ]);
        for (const listener of listeners) listener?.(message, detail);
      },
    };
  }

  /** Hands out what a newcomer has missed; returns the cursors from which the rest has to be asked for. */
  #serve(place: Place, needed: Interest): string[] {
    return place.takeStarts().flatMap((start) => {
      const { subscriptions, organizationId } = place.interest;
      // It may want something else by now.
      const types =
        start.types && subscriptions
          ? start.types.filter((type) => subscriptions.includes(type))
          : (start.types ?? subscriptions);
      const owed = this.#supply?.owed({ ...start, types }, organizationId, needed);
      if (!owed) {
        place.reset(start.cursor ? "history_expired" : "invalid_cursor");
        return [];
      }
      for (const event of owed.events) place.offer(event);
      return owed.asks ? [start.since] : [];
    });
  }

  #follow(state: ConnectionState): void {
    const moved = state.cursor !== this.#state.cursor;
    this.#state = state;
    const cursor = moved ? parseCursor(state.cursor) : null;
    if (cursor) for (const place of this.#places) place.pass(cursor);
    for (const watcher of this.#watchers) watcher(state);
    this.#tell();
  }

  #tell(): void {
    for (const place of this.#places) {
      place.tell(this.#supply?.stateFor(place.interest) ?? this.#state);
    }
  }

  /** Keeps the promises of those whose wishes are in force, or do not matter any more. */
  #grant(): void {
    const isDone = ({ place }: Wish): boolean =>
      place.left || place.interest.subscriptions?.length === 0 || this.#supply?.has(place.interest) === true;
    const done = this.#wishes.filter(isDone);
    this.#wishes = this.#wishes.filter((wish) => !done.includes(wish));
    for (const wish of done) wish.resolve();
  }

  #refuse(error: RowcastError): void {
    const wishes = this.#wishes.toReversed();
    this.#wishes = [];
    for (const { place, before, reject } of wishes) {
      place.interest = before;
      reject(error);
    }
    if (wishes.length > 0) this.#lookSoon();
    else if (!this.#supply?.makeDo(error)) this.#tell();
  }
}

/** The types that one has and the other had not; absent: all of them. */
function added(
  { subscriptions: before }: Interest,
  { subscriptions: now }: Interest,
): readonly EventType[] | undefined {
  return before ? now?.filter((type) => !before.includes(type)) : [];
}
