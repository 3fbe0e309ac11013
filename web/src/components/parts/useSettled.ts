// A value for screen readers: it follows at most every few seconds, since nobody wants two hundred announcements a second.

import { useEffect, useRef, useState } from "react";

const PAUSE = 5_000;

export function useSettled<Value>(value: Value): Value {
  const [settled, settle] = useState(value);
  const at = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (Object.is(value, settled)) return;
    const wait = Math.max(0, at.current + PAUSE - performance.now());
    const timer = setTimeout(() => {
      at.current = performance.now();
      settle(value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, settled]);
  return settled;
}
