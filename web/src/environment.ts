// What the connection needs of the world around it, so that tests can be the world. Touched only when used: the
// package can be imported where there is no window.

export interface Environment {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Milliseconds of wall time: it must run on while the machine sleeps. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Calls back when the network returns or the page becomes visible; returns what ends it. */
  onWake(callback: () => void): () => void;
  /** A fault of the app's own code: shown where uncaught errors are, without ending the stream. */
  reportError(error: unknown): void;
}

export const browser: Environment = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  onWake(callback) {
    if (typeof window === "undefined") return () => {};
    const onVisible = () => {
      if (document.visibilityState === "visible") callback();
    };
    window.addEventListener("online", callback);
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      window.removeEventListener("online", callback);
      document.removeEventListener("visibilitychange", onVisible);
    };
  },
  reportError: (error) => {
    if (typeof reportError === "function") reportError(error);
    else queueMicrotask(() => Promise.reject(error));
  },
};
