// The stream's lag as it comes: the newest event of each frame is measured.

import { useEffect, useRef, useState } from "react";
import type { ConnectionState } from "../../connection.js";
import { type Lag, measure, noLag } from "./lag.js";

export function useLag({ lag: latest }: ConnectionState, received: number): Lag {
  const [lag, setLag] = useState(noLag);
  const counted = useRef(received);
  useEffect(() => {
    if (latest === null || received === counted.current) return;
    counted.current = received;
    setLag((was) => measure(was, latest, Date.now()));
  }, [latest, received]);
  return lag;
}
