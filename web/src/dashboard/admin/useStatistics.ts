// The statistics while a component that shows them is on the page, and whether this user may see any.

import { useCallback, useEffect, useRef, useState } from "react";
import { toRowcastError } from "../../errors.js";
import type { Statistics } from "../../protocol.js";
import { ask } from "../ask.js";
import { follow, type StatisticsState } from "./statistics.js";

export function useStatistics(
  token: () => string | null,
  organization: string | null,
): [StatisticsState, () => void] {
  const [state, setState] = useState<StatisticsState>({ data: null, error: null, nextAt: null });
  const following = useRef<ReturnType<typeof follow> | null>(null);
  useEffect(() => {
    const started = follow({ token, organization, ask: ask<Statistics> }, setState);
    following.current = started;
    return started.stop;
  }, [token, organization]);
  const refresh = useCallback(() => following.current?.refresh(), []);
  return [state, refresh];
}

/** True once the server has answered; asked anew with each stream and each change of what the user may see. */
export function useMaySeeStatistics(token: () => string | null, occasion: string | null): boolean {
  const [may, setMay] = useState(false);
  useEffect(() => {
    if (occasion === null) return;
    const abort = new AbortController();
    ask<Statistics>({ name: "stats", token: token(), signal: abort.signal }).then(
      () => setMay(true),
      (thrown: unknown) => {
        if (!abort.signal.aborted && toRowcastError(thrown).final) setMay(false);
      },
    );
    return () => abort.abort();
  }, [token, occasion]);
  return may;
}
