// When values that follow a stream are shown: in turn, as many in a frame as leave it time to be drawn. A page of ten
// lists that all change two hundred times a second stays smooth; each list is a few frames behind, and lacks nothing.

import { browser } from "./environment.js";

/** Milliseconds of each frame for what has changed; one thing is always shown. Its layout and paint take several times as long. */
const SHARE = 1;
/** Hidden pages get no animation frames; they still move on, a few times a second. */
const HIDDEN_FRAME = 250;

/** Calls back when it is the callback's turn. */
export type Schedule = (callback: () => void) => void;

const waiting: (() => void)[] = [];
let isAwaited = false;

/** At the next frame, or one of the next; about as often where there are no frames. First come, first served. */
export const nextFrame: Schedule = (callback) => {
  waiting.push(callback);
  if (!isAwaited) awaitFrame();
};

function awaitFrame(): void {
  isAwaited = true;
  if (typeof requestAnimationFrame !== "function") {
    setTimeout(serve, 0);
    return;
  }
  const done = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    void serve();
  };
  const frame = requestAnimationFrame(done);
  const timer = setTimeout(done, HIDDEN_FRAME);
}

async function serve(): Promise<void> {
  const until = performance.now() + SHARE;
  do {
    try {
      waiting.shift()?.();
    } catch (thrown) {
      browser.reportError(thrown);
    }
    // React renders in a microtask, which counts as well.
    await Promise.resolve();
  } while (waiting.length > 0 && performance.now() < until);
  isAwaited = false;
  if (waiting.length > 0) awaitFrame();
}
