// What axe finds wrong on a page. It is evaluated from outside, so no policy of the page's has to allow it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axe from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Each violation with the elements concerned; `within` leaves out the rest of the page. */
export async function violationsOn(page: Page, within = "body"): Promise<[string, string[]][]> {
  await page.evaluate(SOURCE);
  // What is still fading in has no contrast yet.
  await page.evaluate(() => {
    const ends = ({ effect }: Animation) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
    return Promise.allSettled(
      document
        .getAnimations()
        .filter(ends)
        .map(({ finished }) => finished),
    );
  });
  const { violations } = await page.evaluate<axe.AxeResults, string>(
    (selector) => (globalThis as unknown as { axe: typeof axe }).axe.run(selector),
    within,
  );
  return violations.map(({ id, nodes }) => [
    id,
    nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
  ]);
}
