// Ending things: what is begun by something ends with it.

/** A controller that is aborted with that signal, if not before. */
export function follow(signal: AbortSignal): AbortController {
  const own = new AbortController();
  // Lets go of the other one once it is aborted itself.
  signal.addEventListener("abort", () => own.abort(signal.reason), { signal: own.signal });
  if (signal.aborted) own.abort(signal.reason);
  return own;
}
