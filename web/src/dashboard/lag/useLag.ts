// The stream's lag as it comes: the newest event of each read is measured.

import { useEffect, useMemo, useSyncExternalStore } from "react";
import { usePage } from "../../react/page.js";
import { type Lag, LagStore } from "./lag.js";

/** `onEvent` is to be called for each event. */
export function useLag(): { lag: Lag; onEvent: () => void } {
  const { hub } = usePage();
  const store = useMemo(() => new LagStore(), []);
  useEffect(() => hub.watch((state) => store.onState(state)), [hub, store]);
  const lag = useSyncExternalStore(store.subscribe, store.getSnapshot);
  return { lag, onEvent: () => store.onEvent() };
}
