// What every panel needs. Two contexts, because what changes with each event must not render what does not.

import { createContext, useContext, useSyncExternalStore } from "react";
import type { OutboxEvent } from "../protocol.js";
import type { Model, ModelStore } from "./model/model.js";

/** The same for the life of the dashboard. */
export interface Live {
  readonly model: ModelStore;
  /** Looks into an event. */
  readonly inspect: (event: OutboxEvent) => void;
}

/** What the stream covers, and how many events of each type came. */
export interface Tally {
  /** Empty until the first stream. */
  readonly subscriptions: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

export const LiveContext = createContext<Live | null>(null);
export const TallyContext = createContext<Tally>({ subscriptions: [], counts: {} });

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error("a panel stands outside the dashboard");
  return live;
}

/** One slice of the model; renders only when that slice changes. */
export function useModel<Slice>(select: (model: Model) => Slice): Slice {
  const { model } = useLive();
  return useSyncExternalStore(model.subscribe, () => select(model.getSnapshot()));
}
