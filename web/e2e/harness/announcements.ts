// What a screen reader would be told, unasked: every change within a live region.

import type { Page } from "playwright-core";

/** Collects from now on; what it returns tells what a region said after each change. */
export async function watchAnnouncements(page: Page): Promise<() => Promise<string[]>> {
  const watch = await page.evaluateHandle(() => {
    const regions = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log]";
    const texts: string[] = [];
    const observer = new MutationObserver((changes) => {
      const changed = new Set<Element>();
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        const region = element?.closest(regions);
        if (region && !element?.closest("[aria-hidden=true]")) changed.add(region);
      }
      for (const region of changed) texts.push(region.textContent ?? "");
    });
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    return { texts };
  });
  return () => watch.evaluate(({ texts }) => texts);
}
