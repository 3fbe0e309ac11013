// A page with a hub on a feed, and consumers that note what they are told, made anew for each test.

import { afterEach, beforeEach, vi } from "vitest";
import type { ConnectionState } from "../connection.js";
import { createHub, type Hub, type HubOptions, type Seat } from "../hub/hub.js";
import type { Consumer } from "../hub/place.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import { Feed } from "./feed.js";
import { FakeServer } from "./server.js";

export interface Guest {
  readonly seat: Seat;
  readonly ids: string[];
  readonly resets: ResetReason[];
  state(): ConnectionState | undefined;
}

export interface HubPage {
  readonly feed: Feed;
  readonly hub: Hub;
  /** What apps threw. */
  readonly faults: readonly unknown[];
  /** Another hub, which goes by options. */
  make(options: HubOptions): void;
  /** A consumer that notes what it is told. */
  sitDown(consumer?: Consumer): Guest;
}

/** Call once at the top of a test file; what it returns is filled in before each test. */
export function setHub(): HubPage {
  let feed: Feed;
  let hub: Hub;
  let faults: unknown[];

  beforeEach(() => {
    vi.useFakeTimers();
    feed = new Feed();
    make();
  });

  afterEach(() => vi.useRealTimers());

  function make(options: HubOptions = {}): void {
    const { environment, faults: reported } = new FakeServer();
    faults = reported;
    hub = createHub({ connect: feed.connect, ...options }, environment);
  }

  return {
    get feed() {
      return feed;
    },
    get hub() {
      return hub;
    },
    get faults() {
      return faults;
    },
    make,
    sitDown(consumer = {}) {
      const ids: string[] = [];
      const resets: ResetReason[] = [];
      let state: ConnectionState | undefined;
      const seat = hub.join({
        onEvent: (event: OutboxEvent) => ids.push(event.id),
        onReset: (reason) => resets.push(reason),
        onState: (now) => {
          state = now;
        },
        ...consumer,
      });
      return { seat, ids, resets, state: () => state };
    },
  };
}
