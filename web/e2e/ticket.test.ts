// The browser's own EventSource with a ticket in its URL: it comes back with the same URL, and nobody else gets in with it.

import { expect, it } from "vitest";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

declare global {
  interface Window {
    first: EventSource;
    seen: string[];
    connected: number;
  }
}

it("comes back with its ticket after a restart, and a second one is refused", async () => {
  const { page } = await stage.open();
  const token = await signToken("u1");
  const status = await page.evaluate(async (token) => {
    const answer = await fetch("/api/v1/realtime/ticket", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
    });
    const { ticket } = await answer.json();
    window.seen = [];
    window.connected = 0;
    window.first = new EventSource(`/api/v1/realtime/sse?ticket=${ticket}`);
    window.first.addEventListener("document_processing", (event) =>
      window.seen.push(JSON.parse(event.data).id),
    );
    window.first.addEventListener("connection_status", (event) => {
      if (JSON.parse(event.data).data.status === "connected") window.connected += 1;
    });
    return answer.status;
  }, token);
  expect(status).toBe(200);
  await page.waitForFunction(() => window.connected === 1);
  await stage.database.insertDocuments("before-", 3);
  await page.waitForFunction(() => window.seen.length >= 3);

  await stage.server.stop();
  await stage.database.insertDocuments("meanwhile-", 3);
  await page.waitForFunction(() => window.first.readyState === EventSource.CONNECTING);
  await stage.server.restart();
  await page.waitForFunction(() => window.seen.length >= 6);
  expect(await page.evaluate(() => window.connected)).toBe(2);
  expect(await page.evaluate(() => window.seen)).toEqual(await stage.database.outboxIds());

  // As if somebody had found the URL in a log. To EventSource a refusal is final.
  const second = await page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const source = new EventSource(window.first.url);
        source.addEventListener("open", () => resolve("open"));
        source.addEventListener("error", () =>
          resolve(`closed: ${source.readyState === EventSource.CLOSED}`),
        );
      }),
  );
  expect(second).toBe("closed: true");
  await stage.database.insertDocuments("after-", 1);
  await page.waitForFunction(() => window.seen.length >= 7);
  await page.evaluate(() => window.first.close());
});
