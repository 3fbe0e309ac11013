// Up, down, Home and End move between the lines of a list, so that Tab passes it in one step.

import type { KeyboardEvent } from "react";

export function onArrowKeys(event: KeyboardEvent<HTMLElement>): void {
  const lines = [...event.currentTarget.querySelectorAll<HTMLElement>(":scope > li > button")];
  const at = lines.findIndex((line) => line.contains(document.activeElement));
  const to = target(event.key, at, lines.length);
  if (to === null) return;
  event.preventDefault();
  lines[to]?.focus();
}

function target(key: string, at: number, count: number): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, count - 1);
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
