// The tabs of one browser, each with an app that notes what it is told, made anew for each test, of which nothing may be
// left after it.

import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Connection, ConnectionState } from "../connection.js";
import { connectTabs, type TabsOptions } from "../tabs/connect.js";
// Loaded before time stands still.
import "../tabs/page.js";
import { FakeBrowser, type Page, pass } from "./browser.js";
import { Ledger } from "./ledger.js";

export interface App {
  readonly page: Page;
  readonly connection: Connection;
  readonly ids: number[];
  readonly resets: string[];
  readonly states: ConnectionState[];
}

export interface Tabs {
  readonly server: Ledger;
  readonly browser: FakeBrowser;
  /** In the order in which they were opened, those that are gone among them. */
  readonly apps: readonly App[];
  /** Of the user `u1`, unless options say otherwise. */
  open(options?: TabsOptions): Promise<App>;
  /** So many events of `system_health`. */
  write(count: number): Promise<void>;
  roles(): ConnectionState["role"][];
  statuses(): ConnectionState["status"][];
  received(): number[][];
  /** The same for every app. */
  every<T>(value: T): T[];
}

/** Call once at the top of a test file; what it returns is filled in before each test. */
export function setTabs(): Tabs {
  let server: Ledger;
  let browser: FakeBrowser;
  let apps: App[];

  beforeEach(() => {
    vi.useFakeTimers();
    server = new Ledger();
    browser = new FakeBrowser(server.fetch);
    apps = [];
  });

  afterEach(async () => {
    for (const { page, connection } of apps) {
      if (!page.isAlive) continue;
      if (page.isFrozen) page.thaw();
      connection.close();
    }
    await pass(0);
    expect(server.streams.size).toBe(0);
    expect(browser.held.size + browser.waiting.length + browser.ears.size).toBe(0);
    expect(apps.filter(({ page }) => page.isAlive && page.listeners > 0)).toEqual([]);
    expect(apps.flatMap(({ page }) => page.faults)).toEqual([]);
    vi.useRealTimers();
  });

  return {
    get server() {
      return server;
    },
    get browser() {
      return browser;
    },
    get apps() {
      return apps;
    },
    async open(options = {}) {
      const page = browser.open();
      const ids: number[] = [];
      const resets: string[] = [];
      const states: ConnectionState[] = [];
      const handlers = {
        onEvent: ({ id }: { id: string }) => ids.push(Number(id)),
        onState: (state: ConnectionState) => states.push(state),
        onReset: (reason: string) => resets.push(reason),
      };
      const connection = connectTabs({ tabs: "u1", ...options }, handlers, page.environment, page.tabs);
      const app = { page, connection, ids, resets, states };
      apps.push(app);
      await pass(20);
      return app;
    },
    async write(count) {
      for (let n = 0; n < count; n += 1) server.write("system_health");
      await pass(20);
    },
    roles: () => apps.map(({ connection }) => connection.state.role),
    statuses: () => apps.map(({ connection }) => connection.state.status),
    received: () => apps.map(({ ids }) => ids),
    every: (value) => apps.map(() => value),
  };
}
