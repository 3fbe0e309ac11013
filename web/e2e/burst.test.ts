// Two hundred events a second of every type: all are counted, none is lost, and the page keeps no more than it shows.
// How smoothly it runs is printed; `npm run bench` measures it for a minute.

import { expect, it } from "vitest";
import { watchAnnouncements } from "./harness/announcements.js";
import { countIs } from "./harness/browser.js";
import { watchFrames } from "./harness/frames.js";
import { setStage } from "./harness/stage.js";
import { keepWriting, writtenByType } from "./harness/traffic.js";

const stage = setStage();

it("keeps up with two hundred events a second", async () => {
  const page = await stage.openLive({ viewport: { width: 1440, height: 1000 } });
  const announced = await watchAnnouncements(page);
  const stop = await watchFrames(page);
  await keepWriting(stage.database, 200, 2000);
  const { framesPerSecond, longTasks } = await stop();
  process.stdout.write(
    `200 events/s: ${framesPerSecond.toFixed(1)} frames/s, ${longTasks} tasks of more than 50 ms\n`,
  );
  // A screen reader would never come to an end: the connection has not changed, and of alerts it is told every five seconds.
  const said = await announced();
  expect(said.filter((text) => !/^(\d+|No) alerts? /.test(text))).toEqual([]);
  expect(said.length).toBeLessThanOrEqual(4);

  const written = await writtenByType(stage.database);
  expect(Object.values(written).reduce((sum, count) => sum + count, 0)).toBe(2000);
  for (const [type, count] of Object.entries(written)) await countIs(page, type, count);

  const rows = (type: string) => page.locator(`[data-type="${type}"] .rc-rows > li`).count();
  expect(await rows("document_processing")).toBe(100);
  expect(await rows("conversation_activity")).toBe(80);
  expect(await rows("user_activity")).toBe(60);
  expect(await rows("error_notification")).toBe(12);
  expect(await rows("system_health")).toBe(3);
  await page.getByText("The newest 100 of 120. Choose a stage to see fewer.").waitFor();
});
