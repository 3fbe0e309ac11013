// Why this user sees an event, as the server answers it: asked anew for each event, and not for those that are passed by.

import { useEffect, useState } from "react";
import { type RowcastError, toRowcastError } from "../../errors.js";
import type { Explanation as Explained } from "../../protocol.js";
import { ask } from "../ask.js";

/** `Explained` is the answer. */
export type Asked =
  | { readonly state: "loading" }
  | { readonly state: "answered"; readonly data: Explained }
  | { readonly state: "failed"; readonly error: RowcastError };

/** Whoever leafs through events rests on those that matter. Milliseconds. */
const REST = 200;

export function useExplanation(event: string, token: () => string | null): [Asked, () => void] {
  const [explanation, set] = useState<Asked>({ state: "loading" });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    set({ state: "loading" });
    const abort = new AbortController();
    const look = async (): Promise<void> => {
      try {
        const data = await ask<Explained>({
          name: "explain",
          parameters: { event },
          token: token(),
          signal: abort.signal,
        });
        set({ state: "answered", data });
      } catch (thrown) {
        if (!abort.signal.aborted) set({ state: "failed", error: toRowcastError(thrown) });
      }
    };
    const timer = setTimeout(look, attempt === 0 ? REST : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [event, token, attempt]);
  return [explanation, () => setAttempt((before) => before + 1)];
}

/** The answer in one sentence. */
export function summaryOf(explained: Explained): string {
  const { audience, organizationId, requiredPermission, delivered } = explained;
  if (!delivered) return "You would not get this event now.";
  const permission = requiredPermission && `hold the permission ${requiredPermission}`;
  if (audience === "platform") {
    return permission
      ? `It is for the whole platform, and you ${permission} there.`
      : "It is for everybody on the platform.";
  }
  if (audience === "user") {
    return `It is private, and you are the user it is for or hold admin in ${organizationId ?? "its organization"}.`;
  }
  return `You have access to ${organizationId ?? "its organization"}${permission ? ` and ${permission} there` : ""}.`;
}
