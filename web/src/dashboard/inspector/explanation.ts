// Why this user sees an event, as the server answers it: asked anew for each event, and not for those that are passed by.

import { useEffect, useState } from "react";
import { type RowcastError, toRowcastError } from "../../errors.js";
import { ask } from "../ask.js";

/** One rule of docs/access.md. */
export interface ExplainedRule {
  readonly rule: string;
  /** Absent where it only tells something. */
  readonly passes?: boolean;
  readonly detail: string;
}

/** A field of `data` that this user does not get as it is. */
export interface HiddenField {
  readonly path: readonly string[];
  /** Whoever holds this sees it. */
  readonly permission: string;
  /** Absent where it is removed. */
  readonly replacement?: unknown;
}

/** `GET /api/v1/realtime/explain`. */
export interface Explained {
  readonly eventId: string;
  readonly eventType: string;
  readonly audience: "organization" | "platform" | "user";
  readonly organizationId?: string;
  /** Absent where membership is enough. */
  readonly requiredPermission?: string;
  readonly delivered: boolean;
  readonly rules: readonly ExplainedRule[];
  readonly hidden: readonly HiddenField[];
}

export type Explanation =
  | { readonly state: "loading" }
  | { readonly state: "answered"; readonly data: Explained }
  | { readonly state: "failed"; readonly error: RowcastError };

/** Whoever leafs through events rests on those that matter. Milliseconds. */
const REST = 200;

export function useExplanation(event: string, token: () => string | null): [Explanation, () => void] {
  const [explanation, set] = useState<Explanation>({ state: "loading" });
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt asks again.
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
  return `You are a member of ${organizationId ?? "its organization"}${permission ? ` and ${permission} there` : ""}.`;
}
