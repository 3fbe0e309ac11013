// A list that scrolls within its panel. It is one stop for the Tab key; arrows, Home and End move along its lines.

import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef } from "react";

interface Props {
  label: string;
  className?: string;
  /** Lines are buttons. If not, the list itself takes the focus, so that the keyboard can scroll it. */
  interactive: boolean;
  children: ReactNode;
}

export function Rows({ label, className = "", interactive, children }: Props) {
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    if (interactive && list.current) keepOneStop(list.current);
  });
  return (
    <ul
      ref={list}
      className={`rc-rows ${className}`}
      aria-label={label}
      tabIndex={interactive ? undefined : 0}
      onKeyDown={interactive ? move : undefined}
      onFocus={interactive ? (event) => stopAt(event.currentTarget, event.target) : undefined}
    >
      {children}
    </ul>
  );
}

const LINE = ":scope > li > button.rc-row-line";

/** Set by hand and not by rendering: the stop moves when a line comes or goes, and no other line has changed by that. */
function keepOneStop(list: HTMLElement): void {
  const stop = list.querySelector<HTMLElement>(`${LINE}[tabindex="0"]`);
  if (stop && list.contains(document.activeElement)) return;
  const first = list.querySelector<HTMLElement>(LINE);
  if (first && first !== stop) stopAt(list, first);
}

function stopAt(list: HTMLElement, line: Element): void {
  if (!(line instanceof HTMLElement) || !line.matches(".rc-row-line")) return;
  for (const other of list.querySelectorAll<HTMLElement>(`${LINE}[tabindex="0"]`)) other.tabIndex = -1;
  line.tabIndex = 0;
}

function move(event: KeyboardEvent<HTMLUListElement>): void {
  const lines = [...event.currentTarget.querySelectorAll<HTMLElement>(LINE)];
  const at = document.activeElement instanceof HTMLElement ? lines.indexOf(document.activeElement) : -1;
  if (at < 0) return;
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: lines.length - 1,
  };
  const line = lines[steps[event.key] ?? -1];
  if (!line) return;
  event.preventDefault();
  line.focus();
}
