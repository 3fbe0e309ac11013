// How times and spans are written on the dashboard, beside what its panels write.

import { formatDecimal } from "../components/format.js";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** `3 minutes ago`, of a span in milliseconds; `in 3 minutes` of one that is below nothing. */
export function formatAgo(ms: number): string {
  for (const [unit, size] of UNITS) {
    if (Math.abs(ms) >= size) return relative.format(-Math.trunc(ms / size), unit);
  }
  return "just now";
}

/** A delay in milliseconds, in the three digits that matter: `3.2 ms`, `240 ms`, `1.3 s`, `4 min`. */
export function formatLag(ms: number): string {
  const late = Math.max(0, ms);
  if (late < 1) return "< 1 ms";
  if (late < 10) return `${formatDecimal(late)} ms`;
  if (late < 1000) return `${Math.round(late)} ms`;
  if (late < 60_000) return `${formatDecimal(late / 1000)} s`;
  return formatSpan(late / 1000);
}

/** A span in seconds, in its two largest units: `2 d 4 h`, `5 min 3 s`. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** A sentence out of one of our error messages, which have neither capital nor full stop. */
export function formatSentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}
