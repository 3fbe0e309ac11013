// Which events of the log are shown.

import type { OutboxEvent } from "../../protocol.js";

export interface Filter {
  /** One type; null for all. */
  readonly type: string | null;
  /** One organization, or `""` for platform-wide events; null for all. */
  readonly organization: string | null;
  /** Words that must all be found, in whatever case; one that begins with `#` is an id. */
  readonly text: string;
}

export const noFilter: Filter = { type: null, organization: null, text: "" };

export function isFiltering({ type, organization, text }: Filter): boolean {
  return type !== null || organization !== null || text.trim() !== "";
}

/** Makes the test of a filter, so that its words are taken apart once and not for every event. */
export function matcher({ type, organization, text }: Filter): (event: OutboxEvent) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const ids = words.filter((word) => /^#\d+$/.test(word)).map((word) => word.slice(1));
  const needles = words.filter((word) => !/^#\d*$/.test(word));
  return (event) =>
    (type === null || event.type === type) &&
    (organization === null || (event.organizationId ?? "") === organization) &&
    ids.every((id) => event.id === id) &&
    (needles.length === 0 || contains(event, needles));
}

function contains(event: OutboxEvent, needles: readonly string[]): boolean {
  const text = textOf(event);
  return needles.every((needle) => text.includes(needle));
}

/** Events never change, so their text is made once, and goes with them. */
const texts = new WeakMap<OutboxEvent, string>();

function textOf(event: OutboxEvent): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const text = JSON.stringify(event).toLowerCase();
  texts.set(event, text);
  return text;
}
