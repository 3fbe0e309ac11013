// Whatever happens to tabs, messages, streams and transactions: each tab hands out each event that concerns it exactly
// once, in the order of its row, from the place at which it joined.

import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Connection } from "../connection.js";
import { contains, parseCursor } from "../cursor.js";
import type { EventType, OutboxEvent } from "../protocol.js";
import { FakeBrowser, type Page, pass } from "../testing/browser.js";
import { Ledger } from "../testing/ledger.js";
// Loaded before time stands still.
import "./page.js";
import { connectTabs } from "./connect.js";

const TYPES: readonly EventType[] = ["system_health", "user_activity", "chatbot_metrics"];
const ROWS = 4;
const MAX_TABS = 5;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface App {
  readonly page: Page;
  connection: Connection;
  /** Of each type: how many events had committed when it was asked for; those that came later are owed. */
  readonly owed: Map<EventType, number>;
  readonly had: OutboxEvent[];
  /** Where it joined. */
  joined: string;
  hasJoined: boolean;
}

/** One thing that happens; `n` says to whom, or what. */
const STEPS = {
  open: (world: World, n: number) => world.open(n, ""),
  openFromThePast: (world: World, n: number) => world.open(n, world.past(n)),
  close: (world: World, n: number) => world.leave(n, (app) => app.connection.close()),
  crash: (world: World, n: number) => world.leave(n, ({ page }) => page.crash()),
  freeze: (world: World, n: number) => world.tab(n)?.page.freeze(),
  thaw: (world: World, n: number) => world.tab(n)?.page.thaw(),
  putAway: (world: World, n: number) => world.tab(n)?.page.putAway(),
  bringBack: (world: World, n: number) => world.tab(n)?.page.bringBack(),
  widen: (world: World, n: number) => world.widen(n),
  steal: (world: World, n: number) => world.steal(n),
  dropMessages: (world: World, n: number) => world.drop(n),
  cut: (world: World) => world.server.cut(),
  refuseAll: (world: World, n: number) => {
    world.server.status = n % 3 === 0 ? 503 : undefined;
  },
  fallBehind: (world: World, n: number) => {
    world.server.behind = n % 4;
  },
  split: (world: World, n: number) => {
    world.server.splits = n % 2 === 0;
  },
  heartbeat: (world: World) => world.server.heartbeat(),
  begin: (world: World, n: number) => world.server.begin(TYPES[n % 3] ?? "system_health", n % ROWS),
  commit: (world: World, n: number) => world.server.commit(n),
  write: (world: World, n: number) => world.server.write(TYPES[n % 3] ?? "system_health", n % ROWS),
  wait: (world: World, n: number) => world.wait(n ** 3),
} as const;

const often = (name: keyof typeof STEPS, weight: number) => ({ arbitrary: fc.constant(name), weight });
const step = fc.tuple(
  fc.oneof(
    often("open", 4),
    often("openFromThePast", 2),
    often("write", 12),
    often("begin", 4),
    often("commit", 4),
    often("wait", 6),
    often("split", 2),
    ...(Object.keys(STEPS) as (keyof typeof STEPS)[]).map((name) => often(name, 1)),
  ),
  fc.nat(40),
  fc.constantFrom(0, 0, 1, 30),
);

class World {
  readonly server = new Ledger();
  readonly browser = new FakeBrowser(this.server.fetch);
  readonly apps: App[] = [];
  readonly cursors: string[] = [];

  tab(n: number): App | undefined {
    return this.apps[n % Math.max(this.apps.length, 1)];
  }

  past(n: number): string {
    return this.cursors[n % Math.max(this.cursors.length, 1)] ?? "";
  }

  open(n: number, cursor: string): void {
    if (this.apps.length >= MAX_TABS) return;
    const page = this.browser.open();
    const types = TYPES.filter((_, index) => (n >> index) & 1 || index === n % 3);
    const app: Omit<App, "connection"> & Partial<App> = {
      page,
      owed: new Map(types.map((type) => [type, 0])),
      had: [],
      joined: cursor,
      hasJoined: cursor !== "",
    };
    app.connection = connectTabs(
      { tabs: "u", subscriptions: types, lastEventId: cursor || undefined },
      {
        onEvent: (event) => app.had.push(event),
        onState: (state) => {
          if (state.cursor !== "") this.cursors.push(state.cursor);
          if (app.hasJoined || state.cursor === "") return;
          app.hasJoined = true;
          app.joined = state.cursor;
          // What came with the first cursor came before the app could know of it.
          app.had.length = 0;
        },
        onReset: () => {
          throw new Error("nothing has expired");
        },
      },
      page.environment,
      page.tabs,
    );
    this.apps.push(app as App);
  }

  leave(n: number, how: (app: App) => void): void {
    const app = this.tab(n);
    if (!app) return;
    this.apps.splice(this.apps.indexOf(app), 1);
    how(app);
  }

  widen(n: number): void {
    const app = this.tab(n);
    const type = TYPES[(n >> 2) % 3];
    if (!app || !type || app.owed.has(type)) return;
    app.owed.set(type, Number.POSITIVE_INFINITY);
    const wanted = [...app.owed.keys()];
    void app.connection.want({ subscriptions: wanted }).then(() => {
      app.owed.set(type, this.server.committed.length);
    });
  }

  /** As another tab does that believes the leader to be dead. */
  steal(n: number): void {
    const page = this.tab(n)?.page;
    const [name] = [...this.browser.held.keys()].filter((lock) => !lock.includes(" tab "));
    if (page && name) page.locks.request(name, { steal: true }, () => Promise.resolve()).catch(() => {});
  }

  drop(n: number): void {
    let count = 0;
    this.browser.drops = () => {
      count += 1;
      return n > 10 && count % ((n % 3) + 1) === 0;
    };
  }

  /** With heartbeats, without which streams are taken for dead. */
  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10_000) {
      await pass(Math.min(left, 10_000));
      this.server.heartbeat();
    }
  }

  async settle(): Promise<void> {
    const { server, browser, apps } = this;
    server.status = undefined;
    server.behind = 0;
    browser.drops = () => false;
    for (const { page } of apps) {
      if (page.isFrozen) page.thaw();
      page.bringBack();
    }
    while (server.open.length > 0) server.commit(0);
    // Long enough for silence to be noticed, and for whatever was refused to be tried again.
    await this.wait(150_000);
    await pass(1_000);
  }

  judge(): void {
    expect(this.server.streams.size).toBe(Math.min(this.apps.length, 1));
    for (const app of this.apps) {
      expect(app.page.faults).toEqual([]);
      expect(app.connection.state.status).toBe("connected");
      const ids = app.had.map(({ id }) => Number(id));
      expect(new Set(ids).size, "an event came twice").toBe(ids.length);
      const joined = parseCursor(app.joined);
      const owed = this.server.committed.filter(
        ({ id, type }, index) =>
          index >= (app.owed.get(type) ?? Number.POSITIVE_INFINITY) &&
          !(joined && contains(joined, BigInt(id))),
      );
      expect(ids, "an event was lost").toEqual(expect.arrayContaining(owed.map(({ id }) => id)));
      for (const { id, type } of app.had) {
        expect([...app.owed.keys()], "nobody asked for it").toContain(type);
        expect(joined && contains(joined, BigInt(id)), "it was had before").toBe(false);
      }
      for (let row = 0; row < ROWS; row += 1) {
        const ofRow = app.had.filter(({ key }) => key === String(row)).map(({ id }) => Number(id));
        expect(ofRow, "out of order").toEqual(ofRow.toSorted((a, b) => a - b));
      }
    }
  }
}

it("each tab has each event exactly once", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const world = new World();
      try {
        for (const [name, n, ms] of steps) {
          await STEPS[name](world, n);
          await pass(ms);
        }
        await world.settle();
        world.judge();
      } finally {
        for (const { connection } of world.apps) connection.close();
        await pass(0);
      }
    }),
    { numRuns: Number(process.env.ROWCAST_RUNS ?? 100) },
  );
});
