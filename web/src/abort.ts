// Ending things: what is begun by something ends with it.

/** A controller that is aborted with that signal, if not before. */
export function follow(signal: AbortSignal): AbortController {
  const own = new AbortController();
  // Lets go of the other one once it is aborted itself.
  signal.addEventListener("abort", () => own.abort(signal.reason), { signal: own.signal });
  if (signal.aborted) own.abort(signal.reason);
  return own;
}

/** What is waited for, unless the signal is aborted before: then its reason is thrown. */
export function unless<Value>(signal: AbortSignal, awaited: Promise<Value>): Promise<Value> {
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { signal: done.signal });
    if (signal.aborted) onAbort();
  });
  return Promise.race([awaited, aborted]).finally(() => done.abort());
}
