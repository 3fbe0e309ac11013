// How smoothly a page runs: its frames, and the tasks that kept it from drawing them.

import type { Page } from "playwright-core";

export interface Smoothness {
  readonly seconds: number;
  readonly framesPerSecond: number;
  /** The longest time between two frames, in milliseconds. */
  readonly longestGap: number;
  /** Tasks of more than 50 ms, and what they took together in milliseconds. */
  readonly longTasks: number;
  readonly longTaskTime: number;
}

/** Counts from now on until what it returns is called. */
export async function watchFrames(page: Page): Promise<() => Promise<Smoothness>> {
  const watch = await page.evaluateHandle(() => {
    const begun = performance.now();
    const counted = { frames: 0, longestGap: 0, longTasks: 0, longTaskTime: 0 };
    let last = begun;
    let frame = requestAnimationFrame(function count(now) {
      counted.frames += 1;
      counted.longestGap = Math.max(counted.longestGap, now - last);
      last = now;
      frame = requestAnimationFrame(count);
    });
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        counted.longTasks += 1;
        counted.longTaskTime += duration;
      }
    });
    observer.observe({ entryTypes: ["longtask"] });
    return {
      stop() {
        cancelAnimationFrame(frame);
        observer.disconnect();
        return { ...counted, seconds: (performance.now() - begun) / 1000 };
      },
    };
  });
  return async () => {
    const { frames, ...counted } = await watch.evaluate(({ stop }) => stop());
    return { ...counted, framesPerSecond: frames / counted.seconds };
  };
}
