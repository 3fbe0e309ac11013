// Headless Chromium, and pages that notice what goes wrong in them.

import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
  type Page,
} from "playwright-core";

// The machine's own Chromium: no sandbox because tests may run as root, and nothing that phones home.
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launchBrowser = ({ args = [], ...options }: LaunchOptions = {}): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.ROWCAST_CHROMIUM ?? "/usr/bin/chromium",
    args: [...ARGUMENTS, ...args],
    ...options,
  });

export interface Opened {
  readonly page: Page;
  /** Uncaught errors, and what the page's security policy refused. */
  readonly faults: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await prepare(page);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    // A server that is away or refuses is part of some tests; Chromium reports each such request.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}

export const statusIs = (page: Page, status: string): Promise<void> =>
  page
    .getByTestId("status")
    .and(page.getByText(status, { exact: true }))
    .waitFor();

/** Waits until that many events of the type have been shown. */
export const countIs = (page: Page, type: string, count: number): Promise<void> =>
  page
    .getByTestId(`count-${type}`)
    .and(page.getByText(count.toLocaleString("en-US"), { exact: true }))
    .waitFor();

/** The ids in the event log, which holds the last hundred. */
export const shownIds = (page: Page): Promise<string[]> =>
  page
    .getByTestId("log")
    .locator("li")
    .evaluateAll((lines) => lines.map((line) => line.getAttribute("data-id") ?? ""));
