// What every example is played on: a browser, a database, the demo on it. Set up once for each test file, because an example is slow to build and
// changes nothing that the next test would mind.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launchBrowser, type Opened, openPage } from "../harness/browser.js";
import { Database } from "../harness/database.js";
import { Demo } from "../harness/demo.js";
import { Example, freePort } from "./example.js";

export interface Scene {
  readonly demo: Demo;
  readonly database: Database;
  /** Where the example is served. */
  readonly origin: string;
  /** `prepare` is called before anything is loaded. */
  open(path: string, prepare?: (page: Page) => Promise<unknown>): Promise<Page>;
}

/** How an example is served, once it is installed. */
export type Start = (example: Example, port: number, scene: Scene) => Promise<void>;

export function setScene(name: string, start: Start): Scene {
  const example = new Example(name);
  let browser: Browser;
  let database: Database;
  let demo: Demo;
  let origin: string;
  let opened: Opened[] = [];

  const scene: Scene = {
    get demo() {
      return demo;
    },
    get database() {
      return database;
    },
    get origin() {
      return origin;
    },
    async open(path, prepare) {
      const page = await openPage(browser, `${origin}${path}`, {}, prepare);
      opened.push(page);
      return page.page;
    },
  };

  beforeAll(async () => {
    const port = await freePort();
    origin = `http://localhost:${port}`;
    browser = await launchBrowser();
    database = await Database.create();
    demo = await Demo.start(database.url, { ROWCAST_ALLOWED_ORIGINS: origin });
    await example.install();
    await start(example, port, scene);
  });
  afterEach(async () => {
    const faults = opened.flatMap(({ faults }) => faults);
    for (const { page } of opened) await page.context().close();
    opened = [];
    expect(faults).toEqual([]);
  });
  afterAll(async () => {
    await example.stop();
    await demo?.stop();
    await database?.drop();
    await browser?.close();
  });
  return scene;
}
