// The components in somebody's page, whose styles mean them no good.

import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { violationsOn } from "./harness/axe.js";
import { countIs, type Opened, openPage, statusIs } from "./harness/browser.js";
import { HostPage } from "./harness/host.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";
import { writeTraffic, writtenByType } from "./harness/traffic.js";

const stage = setStage();
let host: HostPage;
let opened: Opened | undefined;

beforeEach(async () => {
  host = await HostPage.start(stage.server.url);
});

afterEach(async () => {
  await opened?.page.context().close();
  await host.stop();
  expect(opened?.faults).toEqual([]);
});

async function open(options: Parameters<typeof openPage>[2] = {}): Promise<Page> {
  opened = await openPage(stage.browser, `${host.url}#token=${await signToken("u1")}`, options);
  return opened.page;
}

async function showComponents(page: Page): Promise<void> {
  await page.locator("#mount").click();
  await statusIs(page, "Connected");
  await writeTraffic(stage.database, 0, 600);
  for (const [type, count] of Object.entries(await writtenByType(stage.database)))
    await countIs(page, type, count);
  await page.locator(".rc-chart canvas").waitFor();
}

const path = (name: string): string => `${import.meta.dirname}/screenshots/${name}.png`;

/** Every computed value of every element of the page's own. */
const stylesOfHost = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll("html, body, body > :not(#app), body > :not(#app) *")].map((element) => {
      const style = getComputedStyle(element);
      const values = [...style].map((name) => `${name}: ${style.getPropertyValue(name)}`);
      // What grows with its content is no style.
      const kept = values.filter(
        (value) => !/^(block-size|height|perspective-origin|transform-origin):/.test(value),
      );
      return `${element.tagName} ${kept.join("; ")}`;
    }),
  );

it("leave the page's own elements as they are", async () => {
  const page = await open({ viewport: { width: 1440, height: 1000 } });
  const before = await stylesOfHost(page);
  await showComponents(page);
  expect(await stylesOfHost(page)).toEqual(before);
});

it("are not undressed by the page's styles", async () => {
  const page = await open({ viewport: { width: 1440, height: 1000 } });
  await showComponents(page);
  await page.screenshot({ animations: "disabled", path: path("host"), fullPage: true });
  const wrong = await page.evaluate(() =>
    [...document.querySelectorAll(".rc-root, .rc-root :not(svg *)")].flatMap((element) => {
      const style = getComputedStyle(element);
      const faults = [
        style.boxSizing === "border-box" || "box-sizing",
        style.color !== "rgb(255, 0, 0)" || "color",
        style.textTransform !== "uppercase" || element.matches(".rc-avatar") || "text-transform",
        style.fontStyle === "normal" || element.matches(".rc-veiled") || "font-style",
        style.listStyleType === "none" || "list-style",
        style.backgroundColor !== "rgb(255, 255, 0)" || "background",
        style.borderTopColor !== "rgb(0, 0, 255)" || "border",
        Number.parseFloat(style.fontSize) < 28 || "font-size",
      ].filter((fault) => fault !== true);
      return faults.length > 0
        ? [`${element.tagName}.${element.getAttribute("class")}: ${faults.join()}`]
        : [];
    }),
  );
  expect(wrong).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(1440);
});

it.each([
  ["light", 1440],
  ["dark", 1440],
  ["light", 390],
] as const)("are accessible to all: %s, %i wide", async (scheme, width) => {
  const page = await open({ viewport: { width, height: 900 } });
  await page.evaluate((dark) => document.documentElement.classList.toggle("dark", dark), scheme === "dark");
  await showComponents(page);
  await page.locator(".rc-error .rc-row-line").first().click();
  await page.getByRole("button", { name: "By chatbot" }).click();
  expect(await violationsOn(page, "#app")).toEqual([]);
  expect(await page.evaluate(() => document.querySelector(".rc-dashboard")?.scrollWidth)).toBeLessThanOrEqual(
    width,
  );
});

it("draw charts in the colours of the page's scheme, which may change", async () => {
  const page = await open({ viewport: { width: 1440, height: 1000 } });
  await showComponents(page);
  let written = 600;
  /** How many pixels of the chart are about the colour that its first line has now; it grows meanwhile. */
  const inked = async () => {
    await writeTraffic(stage.database, written, 10);
    written += 10;
    return page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(".rc-chart canvas");
      const probe = document.querySelector(".rc-chart-canvas > .rc-ink-1");
      const context = canvas?.getContext("2d");
      if (!canvas || !probe || !context) return 0;
      const ink = getComputedStyle(probe).color.match(/\d+/g)?.map(Number) ?? [];
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        const isInk = ink.every((value, channel) => Math.abs((data[at + channel] ?? 0) - value) < 24);
        if (isInk && (data[at + 3] ?? 0) > 200) count += 1;
      }
      return count;
    });
  };
  const patience = { timeout: 20_000, interval: 300 };
  await expect.poll(inked, patience).toBeGreaterThan(100);
  await page.evaluate(() => document.documentElement.classList.add("dark"));
  expect(
    await page.evaluate(
      () => getComputedStyle(document.querySelector(".rc-root") ?? document.body).colorScheme,
    ),
  ).toBe("dark");
  await expect.poll(inked, patience).toBeGreaterThan(100);
});

it("fit charts to their containers, and tell the values under the cursor", async () => {
  const page = await open({ viewport: { width: 1440, height: 1000 } });
  await showComponents(page);
  const chart = page.locator(".rc-chart");
  const fits = () =>
    chart.evaluate((element) => {
      const inner = element.querySelector(".uplot")?.getBoundingClientRect();
      const outer = element.getBoundingClientRect();
      return inner ? Math.abs(inner.width - outer.width) + Math.abs(inner.height - outer.height) : 1000;
    });
  await expect.poll(fits).toBeLessThan(2);
  await page.setViewportSize({ width: 800, height: 900 });
  await expect.poll(fits).toBeLessThan(2);
  await chart.hover();
  await page.locator(".rc-tooltip").getByText("All chatbots").waitFor();
  await page.mouse.move(0, 0);
  await page.locator(".rc-tooltip").waitFor({ state: "detached" });
});

it("say what a plain member may not see", async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u2', 'o1', 'member')");
  opened = await openPage(stage.browser, `${host.url}#token=${await signToken("u2")}`);
  const { page } = opened;
  await page.locator("#mount").click();
  await statusIs(page, "Connected");
  await writeTraffic(stage.database, 0, 100);
  await page.getByText("Hidden from your role").first().waitFor();
  await expect.poll(() => page.getByText("Your role may not see these events.").count()).toBe(5);
});

it.each([1440, 390])("can be read with letters of twice the size, %i wide", async (width) => {
  const page = await open({ viewport: { width, height: 900 } });
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "32px";
  });
  await showComponents(page);
  await page.screenshot({ animations: "disabled", path: path(`host-large-${width}`), fullPage: true });
  const widths = () =>
    [...document.querySelectorAll(".rc-dashboard, .rc-panel, .rc-body")]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
      .map((element) => element.closest("[data-type]")?.getAttribute("data-type") ?? element.className);
  expect(await page.evaluate(widths)).toEqual([]);
  // What is written on a canvas grows and shrinks with the page's letters, too.
  const axis = page.locator(".rc-chart .u-axis").first();
  const height = () => axis.evaluate((element) => element.getBoundingClientRect().height);
  await expect.poll(height).toBeGreaterThan(50);
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "16px";
  });
  await expect.poll(height).toBeLessThan(32);
});

it.each(["reduce", "no-preference"] as const)(
  "keep still for those who want that: %s",
  async (reducedMotion) => {
    const page = await open({ reducedMotion, forcedColors: "active" });
    // While nobody answers, placeholders move.
    await page.route("**/api/**", () => {});
    await page.locator("#mount").click();
    await statusIs(page, "Connecting");
    const moving = await page.evaluate(
      () => document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== 1).length,
    );
    expect(moving > 0).toBe(reducedMotion === "no-preference");
    // Where colours are forced, grounds are gone: an outline shows what stood on one.
    const status = page.getByTestId("status");
    expect(await status.evaluate((element) => getComputedStyle(element).borderTopWidth)).toBe("1px");
  },
);
