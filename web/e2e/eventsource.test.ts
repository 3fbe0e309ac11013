// The browser's own EventSource, without anything of ours around it: it comes back by itself, and has lost and doubled nothing.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

declare global {
  interface Window {
    source: EventSource;
    ids: string[];
    opened: number;
  }
}

/** A page with an EventSource. It cannot set headers, so the browser sends the token with every request. */
async function listen(): Promise<Page> {
  const extraHTTPHeaders = { Authorization: `Bearer ${await signToken("u1")}` };
  const { page } = await stage.open(undefined, { extraHTTPHeaders });
  await page.evaluate(() => {
    window.ids = [];
    window.opened = 0;
    window.source = new EventSource("/api/v1/realtime/sse");
    window.source.addEventListener("document_processing", (event) => window.ids.push(JSON.parse(event.data).id));
    window.source.addEventListener("connection_status", (event) => {
      if (JSON.parse(event.data).data.status === "connected") window.opened += 1;
    });
  });
  await page.waitForFunction(() => window.opened === 1);
  return page;
}

const count = (page: Page, expected: number) => page.waitForFunction((n) => window.ids.length >= n, expected);

it.each(["stop", "kill"] as const)("comes back after the server's %s", async (end) => {
  const page = await listen();
  await stage.database.insertDocuments("before-", 5);
  await count(page, 5);
  await stage.server[end]();
  await stage.database.insertDocuments("meanwhile-", 5);
  // Long enough for it to have tried, and been refused.
  await page.waitForFunction(() => window.source.readyState === EventSource.CONNECTING);
  await page.waitForTimeout(2_000);
  await stage.server.restart();
  await count(page, 10);
  await stage.database.insertDocuments("after-", 5);
  await count(page, 15);
  expect(await page.evaluate(() => window.ids)).toEqual(await stage.database.outboxIds());
  expect(await page.evaluate(() => window.opened)).toBe(2);
  await page.evaluate(() => window.source.close());
});
