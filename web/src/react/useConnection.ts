// The state of the page's one connection.

import { useMemo, useSyncExternalStore } from "react";
import { type ConnectionState, initialState } from "../connection.js";
import { Fold } from "../fold.js";
import { usePage } from "./page.js";

export interface UseConnectionResult extends ConnectionState {
  /** Begins, or begins again at once, whatever it is waiting for. */
  readonly reconnect: () => void;
  /** Ends the connection until `reconnect`. */
  readonly disconnect: () => void;
}

/** Watches the connection without opening it: that is done by hooks that want events. Renders at most once a frame. */
export function useConnection(): UseConnectionResult {
  const { hub } = usePage();
  const watched = useMemo(() => {
    const fold = new Fold<ConnectionState, ConnectionState>(hub.state, (was, states) => states.at(-1) ?? was);
    return {
      getSnapshot: fold.getSnapshot,
      subscribe(listener: () => void): () => void {
        const ignore = fold.subscribe(listener);
        const unwatch = hub.watch((state) => fold.push(state));
        fold.push(hub.state);
        return () => {
          unwatch();
          ignore();
        };
      },
    };
  }, [hub]);
  const state = useSyncExternalStore(watched.subscribe, watched.getSnapshot, () => initialState);
  return useMemo(() => ({ ...state, reconnect: hub.reconnect, disconnect: hub.disconnect }), [state, hub]);
}
