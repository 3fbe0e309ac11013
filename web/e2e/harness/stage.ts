// Everything a test plays on: a database with an attached table, a server on it, a browser. Set up and taken down once
// for each test.

import type { Browser, BrowserContextOptions, LaunchOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { launchBrowser, type Opened, openPage, statusIs } from "./browser.js";
import { Database } from "./database.js";
import { migrate, Server, type Settings, signToken } from "./server.js";

export interface Stage {
  readonly database: Database;
  readonly server: Server;
  readonly browser: Browser;
  /** Opens the dashboard as somebody; as nobody without a token. */
  open(token?: string, options?: BrowserContextOptions): Promise<Opened>;
  /** Opens the dashboard as `u1`, and waits until it is live. */
  openLive(options?: BrowserContextOptions): Promise<Opened["page"]>;
}

/**
 * Call once at the top of a test file; what it returns is filled in before each test. The server's further settings are
 * asked for then, the browser's once.
 */
export function setStage(settings: () => Settings = () => ({}), options: LaunchOptions = {}): Stage {
  let browser: Browser;
  let database: Database;
  let server: Server;
  let opened: Opened[] = [];

  beforeAll(async () => {
    browser = await launchBrowser(options);
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    opened = [];
    database = await Database.create();
    await migrate(database.url);
    await database.attachDocuments();
    server = await Server.start(database.url, settings());
  });
  afterEach(async () => {
    for (const { page } of opened) await page.context().close();
    await server?.kill();
    await database?.drop();
    expect(opened.flatMap(({ faults }) => faults)).toEqual([]);
  });

  const open: Stage["open"] = async (token, options) => {
    const page = await openPage(browser, token ? `${server.url}/#token=${token}` : server.url, options);
    opened.push(page);
    return page;
  };
  return {
    get browser() {
      return browser;
    },
    get database() {
      return database;
    },
    get server() {
      return server;
    },
    open,
    async openLive(options) {
      const { page } = await open(await signToken("u1"), options);
      await statusIs(page, "Connected");
      return page;
    },
  };
}
