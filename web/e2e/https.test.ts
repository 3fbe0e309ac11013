// Over TLS and HTTP/2, as browsers see it: more streams than HTTP/1.1 allows, the strict policy of the dashboard, and
// pages of other origins that may and may not read.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { countIs, openPage, statusIs } from "./harness/browser.js";
import { Certificate } from "./harness/certificate.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

// Nobody has signed the certificate.
const HTTPS = { ignoreHTTPSErrors: true };
const STREAM = "/api/v1/realtime/sse";

/** An origin of its own, with an empty page. */
async function serveAnotherOrigin(): Promise<{ pages: Server; origin: string }> {
  const pages = createServer((_, answer) =>
    answer.setHeader("Content-Type", "text/html").end("<!doctype html>"),
  );
  await new Promise<void>((listening) => pages.listen(0, "127.0.0.1", listening));
  return { pages, origin: `http://127.0.0.1:${(pages.address() as AddressInfo).port}` };
}

let certificate: Certificate;
let listed: Awaited<ReturnType<typeof serveAnotherOrigin>>;
let unlisted: Awaited<ReturnType<typeof serveAnotherOrigin>>;

beforeAll(async () => {
  certificate = new Certificate();
  listed = await serveAnotherOrigin();
  unlisted = await serveAnotherOrigin();
});
afterAll(() => {
  certificate.remove();
  listed.pages.close();
  unlisted.pages.close();
});

const stage = setStage(() => ({
  ...certificate.settings,
  ROWCAST_ALLOWED_ORIGINS: listed.origin,
  ROWCAST_MAX_CONNECTIONS_PER_USER: "50",
}));

it("shows the dashboard under its policy, over HTTP/2", async () => {
  const { page } = await stage.open(await signToken("u1"), HTTPS);
  await statusIs(page, "Connected");
  await stage.database.insertDocuments("file-", 3);
  await countIs(page, "document_processing", 3);
  const protocols = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map((entry) => (entry as PerformanceResourceTiming).nextHopProtocol)
      .filter((protocol) => protocol !== ""),
  );
  expect(new Set(protocols)).toEqual(new Set(["h2"]));
});

it("runs nothing on the dashboard that does not come from the server", async () => {
  const { page, faults } = await openPage(stage.browser, stage.server.url, HTTPS);
  const outcome = await page.evaluate(async (elsewhere) => {
    const refused = (markup: () => void) => {
      try {
        markup();
        return false;
      } catch {
        return true;
      }
    };
    const inline = document.createElement("script");
    const isRefusedText = refused(() => {
      inline.textContent = "window.ran = true";
    });
    document.head.append(inline);
    const isRefusedMarkup = refused(() => {
      document.body.innerHTML = "<b>markup</b>";
    });
    const reached = await fetch(elsewhere, { mode: "no-cors" }).then(
      () => true,
      () => false,
    );
    return { isRefusedText, isRefusedMarkup, ran: "ran" in window, reached };
  }, unlisted.origin);
  await page.context().close();
  expect(outcome).toEqual({ isRefusedText: true, isRefusedMarkup: true, ran: false, reached: false });
  expect(faults.length, "the browser tells of it").toBeGreaterThan(0);
});

it("has room for a dozen streams of one page", async () => {
  const token = await signToken("u1");
  const { page } = await stage.open(undefined, {
    ...HTTPS,
    extraHTTPHeaders: { Authorization: `Bearer ${token}` },
  });
  await page.evaluate(
    async ({ path, token }) => {
      const state = window as unknown as { keys: string[][] };
      state.keys = [];
      for (let n = 0; n < 6; n += 1) {
        const keys: string[] = [];
        state.keys.push(keys);
        const source = new EventSource(path);
        source.addEventListener("document_processing", (event) => keys.push(JSON.parse(event.data).key));
        await new Promise((opened) => source.addEventListener("connection_status", opened, { once: true }));
      }
      for (let n = 0; n < 6; n += 1) {
        const keys: string[] = [];
        state.keys.push(keys);
        const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}` } });
        const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
        let text = "";
        void (async () => {
          for (;;) {
            const { value, done } = (await reader?.read()) ?? { done: true };
            if (done) return;
            text += value;
            keys.splice(0, keys.length, ...[...text.matchAll(/"key":"(\d+)"/g)].map(([, key]) => key ?? ""));
          }
        })();
      }
    },
    { path: STREAM, token },
  );
  await stage.database.insertDocuments("file-", 3);
  await page.waitForFunction(() => {
    const { keys } = window as unknown as { keys: string[][] };
    return keys.length === 12 && keys.every((of) => of.join() === "1,2,3");
  });
});

/** What a page of that origin gets of a stream: its beginning, or nothing. And of a request without a token. */
async function read(origin: string): Promise<{ stream: string; refusal: string }> {
  const { page } = await openPage(stage.browser, origin, HTTPS);
  const found = await readFrom(page, `${stage.server.url}${STREAM}`, await signToken("u1"));
  await page.context().close();
  return found;
}

const readFrom = (page: Page, url: string, token: string) =>
  page.evaluate(
    async ({ url, token }) => {
      const headers = { Authorization: `Bearer ${token}`, "Last-Event-ID": "0" };
      const stream = async () => {
        const answer = await fetch(url, { headers });
        const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
        const { value } = (await reader?.read()) ?? {};
        await reader?.cancel();
        return value ?? "";
      };
      const refusal = async () => (await (await fetch(url)).json()).error.code as string;
      const orNothing = (text: Promise<string>) => text.catch((error: Error) => error.name);
      return { stream: await orNothing(stream()), refusal: await orNothing(refusal()) };
    },
    { url, token },
  );

it("lets pages of a listed origin read, and no others", async () => {
  const allowed = await read(listed.origin);
  expect(allowed.stream).toContain('"status":"connected"');
  expect(allowed.refusal).toBe("token_required");
  expect(await read(unlisted.origin)).toEqual({ stream: "TypeError", refusal: "TypeError" });
});
