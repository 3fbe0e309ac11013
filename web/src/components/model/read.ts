// Reads fields of an event's data that may be anything: rows come as the adopter's SQL shaped them, without fields
// that a deletion or a truncation left out, and with numerics as strings.

import type { OutboxEvent } from "../../protocol.js";

export function text(value: unknown): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" ? String(value) : undefined;
}

export function number(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** When the row was written, in milliseconds of wall time; `fallback` when the timestamp is none. */
export function timeOf(event: OutboxEvent, fallback = 0): number {
  const time = Date.parse(event.timestamp);
  return Number.isNaN(time) ? fallback : time;
}
