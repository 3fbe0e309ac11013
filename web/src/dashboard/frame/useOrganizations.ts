// The organizations that one can switch between. A stream that is narrowed to one tells only of that one, so what a wider
// stream told is remembered, for this tab.

import { useEffect, useState } from "react";
import type { ConnectionState } from "../../connection.js";

/** `all`: the user is in every organization, so there is no list, and any can be entered by its name. */
export type Organizations = readonly string[] | "all";

/** Null until a stream has told. */
export function useOrganizations(
  user: string | null,
  { connectionId, organizations }: ConnectionState,
  chosen: string | null,
): Organizations | null {
  const key = `rowcast.organizations.${user ?? ""}`;
  const [known, setKnown] = useState(() => recall(key));
  // What the stream says that was open when another organization was chosen is about the one before.
  const [choice, setChoice] = useState<{ of: string | null; stale: string | null }>({
    of: chosen,
    stale: null,
  });
  if (choice.of !== chosen) setChoice({ of: chosen, stale: connectionId });
  const tells =
    chosen === null && choice.of === null && connectionId !== null && connectionId !== choice.stale;
  const told = tells ? JSON.stringify(organizations?.toSorted() ?? "all") : null;
  useEffect(() => {
    if (told === null) return;
    sessionStorage.setItem(key, told);
    setKnown(recall(key));
  }, [key, told]);
  return known ?? (chosen === null ? null : [chosen]);
}

function recall(key: string): Organizations | null {
  const known: unknown = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (known === "all") return known;
  return Array.isArray(known) ? known.filter((name) => typeof name === "string") : null;
}
