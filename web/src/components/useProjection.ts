// What a component shows: its own events, folded once a frame. Others' events do not render it.

import { useCallback, useMemo, useSyncExternalStore } from "react";
import { Fold } from "../fold.js";
import type { EventOf, EventType } from "../protocol.js";
import { useRowcastEvents } from "../react/useRowcastEvents.js";
import type { Projection } from "./model/projection.js";
import { text } from "./model/read.js";

/** Which events are meant; absent: all that the user may see. */
export interface Scope {
  organizationId?: string | undefined;
  /** Events that name another chatbot, or none, are left out. */
  chatbotId?: string | undefined;
}

export interface Followed<Type extends EventType, Value> {
  readonly type: Type;
  readonly value: Value;
  /** Events since the component was mounted. */
  readonly received: number;
  /** Events were missed that can no longer be had: what is shown began anew. */
  readonly wasReset: boolean;
  /** The user has read that. */
  readonly acknowledge: () => void;
}

interface State<Value> {
  readonly value: Value;
  readonly received: number;
  readonly wasReset: boolean;
}

export function useProjection<Type extends EventType, Value>(
  projection: Projection<Type, Value>,
  { organizationId, chatbotId }: Scope,
): Followed<Type, Value> {
  const { type } = projection;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was folded of another scope is not shown in this one.
  const fold = useMemo(() => createFold(projection), [projection, organizationId, chatbotId]);
  const subscriptions = useMemo(() => [type], [type]);
  useRowcastEvents<Type>({
    subscriptions,
    organizationId,
    filter: (event) => chatbotId === undefined || chatbotOf(event) === chatbotId,
    onEvent: fold.push,
    onReset: () => fold.push("reset"),
  });
  const state = useSyncExternalStore(fold.subscribe, fold.getSnapshot, fold.getSnapshot);
  const acknowledge = useCallback(() => fold.push("acknowledge"), [fold]);
  return { type, ...state, acknowledge };
}

type Input<Type extends EventType> = EventOf<Type> | "reset" | "acknowledge";

function createFold<Type extends EventType, Value>(projection: Projection<Type, Value>) {
  const empty: State<Value> = { value: projection.empty, received: 0, wasReset: false };
  const fold = new Fold<State<Value>, Input<Type>>(empty, (was, inputs) => {
    let { value, received, wasReset } = was;
    for (const input of inputs) {
      if (input === "reset") {
        wasReset = received > 0;
        value = projection.empty;
      } else if (input === "acknowledge") wasReset = false;
      else {
        value = projection.apply(value, input);
        received += 1;
      }
    }
    return { value, received, wasReset };
  });
  return {
    push: (input: Input<Type>) => fold.push(input),
    subscribe: fold.subscribe,
    getSnapshot: fold.getSnapshot,
  };
}

/** Alerts may name it in their data alone. */
function chatbotOf({ chatbotId, data }: { chatbotId?: string; data: object }): string | undefined {
  return chatbotId ?? ("chatbotId" in data ? text(data.chatbotId) : undefined);
}
