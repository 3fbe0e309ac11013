// The health of each component: what its checks said last, and how it fared over time.

import type { EventOf } from "../../protocol.js";
import { append, type Item } from "./list.js";
import { clearsAway, type Projection } from "./projection.js";
import { number, text, timeOf } from "./read.js";

/** A time in which the status did not change. Milliseconds of wall time; `to` is the last check that said so. */
export interface Span {
  readonly status: string;
  readonly from: number;
  readonly to: number;
}

/** What is measured of a component, as it was last. */
export interface Check extends Item {
  readonly metric: string;
  readonly status: string;
  readonly value: number | undefined;
  readonly threshold: number | undefined;
  readonly message: string | undefined;
  readonly recommendation: string | undefined;
  /** Newest last. */
  readonly values: readonly number[];
}

export interface HealthItem extends Item {
  readonly component: string;
  /** The worst of its checks. */
  readonly status: string;
  /** One for each metric; the one that decides the status comes first. */
  readonly checks: readonly [Check, ...Check[]];
  /** Oldest first; never empty. */
  readonly course: readonly Span[];
}

const MAX_COMPONENTS = 60;
const MAX_METRICS = 8;
const MAX_VALUES = 60;
const MAX_SPANS = 40;

/** How bad it is, for statuses that an app has made up as well: worse than healthy, better than degraded. */
const BADNESS: Readonly<Record<string, number>> = { healthy: 0, degraded: 2, down: 3 };
const badness = (status: string): number => BADNESS[status] ?? 1;

export const health: Projection<"system_health", readonly HealthItem[]> = {
  type: "system_health",
  empty: [],
  apply(list, event) {
    if (clearsAway(event)) return list;
    const component = text(event.data.component) ?? "general";
    const at = list.findIndex(({ key }) => key === component);
    const item = itemOf(component, event, list[at]);
    if (at >= 0) return list.with(at, item);
    return [...list, item].slice(-MAX_COMPONENTS).sort((a, b) => a.key.localeCompare(b.key));
  },
};

function itemOf(
  component: string,
  event: EventOf<"system_health">,
  former: HealthItem | undefined,
): HealthItem {
  const check = checkOf(event, former);
  const others = former?.checks.filter(({ key }) => key !== check.key) ?? [];
  const rest = others.slice(0, MAX_METRICS - 1);
  const worst = rest.reduce((a, b) => (badness(b.status) > badness(a.status) ? b : a), check);
  const checks = worst === check ? rest : [check, ...rest.filter((other) => other !== worst)];
  return {
    key: component,
    event,
    component,
    status: worst.status,
    checks: [worst, ...checks],
    course: prolong(former?.course ?? [], worst.status, timeOf(event)),
  };
}

function checkOf(event: EventOf<"system_health">, former: HealthItem | undefined): Check {
  const { data } = event;
  const metric = text(data.metric) ?? "";
  const value = number(data.value);
  const before = former?.checks.find(({ key }) => key === metric)?.values ?? [];
  return {
    key: metric,
    event,
    metric,
    status: text(data.status) ?? "healthy",
    value,
    threshold: number(data.threshold),
    message: text(data.message),
    recommendation: text(data.recommendation),
    values: append(before, value, MAX_VALUES),
  };
}

function prolong(course: readonly Span[], status: string, time: number): readonly Span[] {
  const last = course.at(-1);
  if (!last) return [{ status, from: time, to: time }];
  // A row that committed late may be older than what is known.
  const now = Math.max(time, last.to);
  const until = course.with(-1, { ...last, to: now });
  return last.status === status ? until : append(until, { status, from: now, to: now }, MAX_SPANS);
}
