// How fast a counter grows: the mean of the last few seconds, and each second of the last minute.

import { useEffect, useRef, useState } from "react";

const MINUTE = 60;
/** Long enough to be read, short enough to follow. */
const WINDOW = 5;

export function useRate(count: number): { perSecond: number; history: readonly number[] } {
  const latest = useRef(count);
  useEffect(() => {
    latest.current = count;
  }, [count]);
  const [history, setHistory] = useState<readonly number[]>(() => new Array(MINUTE).fill(0));
  useEffect(() => {
    let [before, at] = [latest.current, performance.now()];
    const timer = setInterval(() => {
      const now = performance.now();
      // Timers of hidden pages come late; what came meanwhile did not come in one second.
      const rate = ((latest.current - before) * 1000) / (now - at);
      [before, at] = [latest.current, now];
      setHistory((seconds) => [...seconds.slice(1), rate]);
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  const recent = history.slice(-WINDOW);
  return { perSecond: recent.reduce((sum, rate) => sum + rate, 0) / WINDOW, history };
}
