// What a component is given anew with every render, for effects that must not run anew with it.

import { type RefObject, useInsertionEffect, useMemo, useRef } from "react";
import type { EventType } from "../protocol.js";

/** The newest value, for callbacks. Up to date before any effect of the same commit runs, even one further down. */
export function useLatest<Value>(value: Value): Readonly<RefObject<Value>> {
  const latest = useRef(value);
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}

/** The same array for as long as it lists the same types. */
export function useTypes<Types extends EventType>(
  subscriptions: readonly Types[] | undefined,
): readonly Types[] | undefined {
  const text = subscriptions && JSON.stringify(subscriptions);
  return useMemo(() => (text === undefined ? undefined : (JSON.parse(text) as Types[])), [text]);
}
