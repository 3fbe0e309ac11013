// Which types the page asks for, changed while the stream is open. Everything that the page shows of a type goes with it.

import { useEffect, useInsertionEffect, useRef, useState } from "react";
import type { Interest } from "../../connection.js";
import { type RowcastError, toRowcastError } from "../../errors.js";
import type { Seat } from "../../hub/hub.js";
import type { EventType, OutboxEvent, ResetReason } from "../../protocol.js";
import { usePage } from "../../react/page.js";

export interface Types {
  /** What the user may see, as the server told of a stream of everything; empty before the first. */
  readonly available: readonly string[];
  /** What was chosen of it; null: everything, whatever that comes to be. */
  readonly chosen: readonly string[] | null;
  /** The choice is not in force yet. */
  readonly changing: boolean;
  /** Why the last choice was not taken. */
  readonly problem: RowcastError | null;
  choose(types: readonly string[] | null): void;
}

interface Listener {
  onEvent(event: OutboxEvent): void;
  onReset(reason: ResetReason): void;
}

/** Follows everything that is chosen. */
export function useTypes(covered: readonly string[], listener: Listener): Types {
  const { hub, organizationId } = usePage();
  const latest = useRef(listener);
  useInsertionEffect(() => {
    latest.current = listener;
  });
  const [chosen, choose] = useState<readonly string[] | null>(null);
  const [available, setAvailable] = useState<readonly string[]>([]);
  const [changing, setChanging] = useState(false);
  const [problem, setProblem] = useState<RowcastError | null>(null);

  const seat = useRef<Seat | null>(null);
  const inForce = useRef<readonly string[] | null>(null);
  useEffect(() => {
    const joined = hub.join({
      ...interestOf(inForce.current, organizationId),
      maxReconnectAttempts: Number.POSITIVE_INFINITY,
      onEvent: (event) => latest.current.onEvent(event),
      onReset: (reason) => latest.current.onReset(reason),
    });
    seat.current = joined;
    return joined.leave;
  }, [hub, organizationId]);

  // After the panels of what was given up have left, or the stream would still be asked for it.
  useEffect(() => {
    const before = inForce.current;
    if (chosen === before) return;
    inForce.current = chosen;
    setChanging(true);
    setProblem(null);
    const settle = (failure: RowcastError | null): void => {
      if (inForce.current !== chosen) return;
      setChanging(false);
      setProblem(failure);
      if (!failure) return;
      inForce.current = before;
      choose(before);
    };
    seat.current?.want(interestOf(chosen, organizationId)).then(
      () => settle(null),
      (thrown: unknown) => settle(toRowcastError(thrown)),
    );
  }, [chosen, organizationId]);

  if (chosen === null && !changing && covered.length > 0 && !isSame(available, covered))
    setAvailable(covered);
  return { available, chosen, changing, problem, choose };
}

/** An app's own types are as good as the built-in ones, though TypeScript has not heard of them. */
const interestOf = (types: readonly string[] | null, organizationId: string | undefined): Interest => ({
  subscriptions: types === null ? undefined : (types as readonly EventType[]),
  organizationId,
});

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((type) => others.includes(type));
