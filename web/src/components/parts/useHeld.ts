// Holds a list still while somebody points at it or walks it by keyboard: at hundreds of events a second, a line would be
// gone before it is read. What comes meanwhile is shown right after.

import { type FocusEvent, type PointerEvent, useState } from "react";

export interface Held<Value> {
  readonly shown: Value;
  readonly isHeld: boolean;
  /** For the element that holds the list. */
  readonly handlers: {
    onPointerEnter: (event: PointerEvent) => void;
    onPointerLeave: () => void;
    onFocus: (event: FocusEvent) => void;
    onBlur: (event: FocusEvent) => void;
  };
}

export function useHeld<Value>(value: Value): Held<Value> {
  const [kept, keep] = useState<{ readonly value: Value } | null>(null);
  const release = (): void => keep(null);
  const hold = (): void => keep((former) => former ?? { value });
  return {
    shown: kept ? kept.value : value,
    isHeld: kept !== null && kept.value !== value,
    handlers: {
      // A finger that scrolls enters too, and never leaves.
      onPointerEnter: ({ pointerType }) => pointerType === "mouse" && hold(),
      onPointerLeave: release,
      onFocus: ({ target }) => target.matches(":focus-visible") && hold(),
      onBlur: ({ currentTarget, relatedTarget }) => {
        if (!(relatedTarget instanceof Node) || !currentTarget.contains(relatedTarget)) release();
      },
    },
  };
}
