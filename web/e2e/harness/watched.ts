// A connection of the core in a page of an app: opened there, and asked what it has told.

import type { Browser, Page } from "playwright-core";
import type { ConnectionState } from "../../src/index.js";
import { openPage } from "./browser.js";
import type { Pages } from "./pages.js";

export interface Opening {
  /** The URL of the server, or of what stands before it. */
  server: string;
  /** Each is given out once, but the last again and again. */
  tokens: string[];
  subscriptions?: "document_processing"[];
  /** The key of a session's storage. */
  storage?: string;
}

export class Watched {
  readonly page: Page;
  readonly faults: string[];

  private constructor(page: Page, faults: string[]) {
    this.page = page;
    this.faults = faults;
  }

  /** `prepare` is run in the page before anything else. */
  static async open(browser: Browser, pages: Pages, prepare?: () => void): Promise<Watched> {
    const { page, faults } = await openPage(browser, "about:blank");
    if (prepare) await page.addInitScript(prepare);
    await page.goto(`${pages.origin}/core.html`);
    return new Watched(page, faults);
  }

  async connect({ server, tokens, subscriptions, storage }: Opening): Promise<void> {
    await this.page.evaluate(
      ({ url, tokens, subscriptions, storage }) => {
        const { rowcast } = window;
        rowcast.watch({
          url,
          token: () => (tokens.length > 1 ? tokens.shift() : tokens[0]) ?? null,
          subscriptions,
          storage: storage === undefined ? undefined : rowcast.sessionCursor(storage),
        });
      },
      { url: `${server}/api/v1/realtime/sse`, tokens, subscriptions, storage },
    );
  }

  ids(): Promise<string[]> {
    return this.page.evaluate(() => window.rowcast.watched?.events.map(({ id }) => id) ?? []);
  }

  async state(): Promise<ConnectionState> {
    const state = await this.page.evaluate(() => window.rowcast.watched?.connection.state);
    if (!state) throw new Error("no connection was opened");
    return state;
  }

  /** Waits until so many events have come. */
  async countIs(count: number): Promise<void> {
    await this.page.waitForFunction((n) => (window.rowcast.watched?.events.length ?? 0) >= n, count);
  }

  /** Waits until the connection is as described. */
  async is(expected: Partial<ConnectionState>): Promise<void> {
    await this.page.waitForFunction((expected) => {
      const state = window.rowcast.watched?.connection.state;
      return state && Object.entries(expected).every(([key, value]) => Reflect.get(state, key) === value);
    }, expected);
  }

  /** What the browser tells pages when it comes to another network. */
  async changeNetwork(): Promise<void> {
    await this.page.evaluate(() => window.dispatchEvent(new Event("online")));
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
