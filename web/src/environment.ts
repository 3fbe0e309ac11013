// What the connection needs of the world around it, so that tests can be the world. Touched only when used: the
// package can be imported where there is no window.

/** As much of an `EventSource` as is used. */
export interface MessageSource {
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

/** All that a connection needs of the world around it. */
export interface Environment {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Whether answers can be read while they come. */
  streams(): boolean;
  /** The browser's own, where it has one. */
  openEventSource?: ((url: string) => MessageSource) | undefined;
  /** Milliseconds of wall time: it must run on while the machine sleeps. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Calls back when the network returns or the page becomes visible; returns what ends it. */
  onWake(callback: () => void): () => void;
  /** Calls back when the network goes; returns what ends it. */
  onOffline(callback: () => void): () => void;
  /** Calls back when the page may be about to end; returns what ends it. */
  onHide(callback: () => void): () => void;
  /** False only where it is certain that there is no network. */
  online(): boolean;
  /** A fault of the app's own code: shown where uncaught errors are, without ending the stream. */
  reportError(error: unknown): void;
}

export const browser: Environment = {
  fetch: (url, init) => fetch(url, init),
  streams: () => "body" in Response.prototype,
  get openEventSource() {
    return typeof EventSource === "function" ? (url: string) => new EventSource(url) : undefined;
  },
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  onWake(callback) {
    const onVisible = () => {
      if (document.visibilityState === "visible") callback();
    };
    return both(on("window", "online", callback), on("document", "visibilitychange", onVisible));
  },
  onOffline: (callback) => on("window", "offline", callback),
  onHide(callback) {
    const onHidden = () => {
      if (document.visibilityState === "hidden") callback();
    };
    // Phones end pages that are hidden without a further word.
    return both(on("window", "pagehide", callback), on("document", "visibilitychange", onHidden));
  },
  online: () => globalThis.navigator?.onLine !== false,
  reportError: (error) => {
    if (typeof reportError === "function") reportError(error);
    else queueMicrotask(() => Promise.reject(error));
  },
};

/** Listens where there is a page. */
function on(where: "window" | "document", name: string, callback: () => void): () => void {
  if (typeof window === "undefined") return () => {};
  const target: EventTarget = where === "window" ? window : document;
  target.addEventListener(name, callback);
  return () => target.removeEventListener(name, callback);
}

function both(first: () => void, second: () => void): () => void {
  return () => {
    first();
    second();
  };
}
