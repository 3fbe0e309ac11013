// The dashboard under load: frames, long tasks, what the main thread did, and memory, while two hundred events of every
// type are written a second for a minute. SECONDS and RATE make it another measure.

import type { CDPSession, Page } from "playwright-core";
import { expect, it } from "vitest";
import { countIs } from "../e2e/harness/browser.js";
import { watchFrames } from "../e2e/harness/frames.js";
import { setStage } from "../e2e/harness/stage.js";
import { keepWriting, writtenByType } from "../e2e/harness/traffic.js";

const SECONDS = Number(process.env.SECONDS ?? 60);
const RATE = Number(process.env.RATE ?? 200);

const stage = setStage();

it(`${RATE} events/s for ${SECONDS} s`, async () => {
  const page = await stage.openLive({ viewport: { width: 1440, height: 1000 } });
  const devtools = await page.context().newCDPSession(page);
  // CPU time of the page's main thread, whatever else the machine does.
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const [before, heapBefore] = [await metricsOf(devtools), await heapOf(devtools, page)];
  const stop = await watchFrames(page);
  await keepWriting(stage.database, RATE, RATE * SECONDS);
  const smoothness = await stop();
  const after = await metricsOf(devtools);
  const written = await writtenByType(stage.database);
  for (const [type, count] of Object.entries(written)) await countIs(page, type, count);
  const heapAfter = await heapOf(devtools, page);

  const busy = (name: string): string =>
    `${((((after.get(name) ?? 0) - (before.get(name) ?? 0)) / smoothness.seconds) * 100).toFixed(1)} %`;
  const figures: [string, string][] = [
    [
      "events",
      `${Object.values(written).reduce((sum, count) => sum + count, 0)} in ${smoothness.seconds.toFixed(1)} s`,
    ],
    ["frames a second", smoothness.framesPerSecond.toFixed(1)],
    ["longest gap between frames", `${smoothness.longestGap.toFixed(0)} ms`],
    [
      "tasks of more than 50 ms",
      `${smoothness.longTasks}, ${smoothness.longTaskTime.toFixed(0)} ms together`,
    ],
    ["main thread, CPU", busy("TaskDuration")],
    ["  of which scripts", busy("ScriptDuration")],
    ["  of which styles", busy("RecalcStyleDuration")],
    ["  of which layout", busy("LayoutDuration")],
    ["heap before and after", `${megabytes(heapBefore)} and ${megabytes(heapAfter)}`],
    ["DOM nodes", String(await page.evaluate(() => document.querySelectorAll("*").length))],
  ];
  process.stdout.write(`\n${figures.map(([name, value]) => `${name.padEnd(30)} ${value}`).join("\n")}\n`);
  expect(smoothness.seconds).toBeGreaterThanOrEqual(SECONDS);
});

async function metricsOf(devtools: CDPSession): Promise<ReadonlyMap<string, number>> {
  const { metrics } = await devtools.send("Performance.getMetrics");
  return new Map(metrics.map(({ name, value }) => [name, value]));
}

/** Bytes that are in use once what is not has been collected. */
async function heapOf(devtools: CDPSession, page: Page): Promise<number> {
  await devtools.send("HeapProfiler.collectGarbage");
  await page.evaluate(() => new Promise(requestAnimationFrame));
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  return usedSize;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
