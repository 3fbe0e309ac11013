// Which types the stream carries, switched while it is open.

import { formatName } from "../../components/format.js";
import { formatSentence } from "../format.js";
import type { Types } from "./useTypes.js";

interface Props {
  types: Types;
  /** What the open stream carries, as the server says. */
  covered: readonly string[];
  live: boolean;
}

export function TypeSwitches({ types, covered, live }: Props) {
  const { available, chosen, changing, problem, choose } = types;
  const listed = available.filter((type) => type !== "connection_status").toSorted();
  const wanted = chosen ?? listed;
  const toggle = (type: string): void =>
    choose(wanted.includes(type) ? wanted.filter((other) => other !== type) : [...wanted, type]);
  return (
    <fieldset className="rd-types" disabled={!live}>
      <legend>Event types on this stream</legend>
      <ul>
        {listed.map((type) => {
          const on = wanted.includes(type);
          const carried = covered.includes(type);
          // The server does not know a stream of nothing.
          const last = on && wanted.length === 1;
          return (
            <li key={type}>
              <label title={last ? "A stream carries at least one type." : undefined}>
                <input type="checkbox" checked={on} disabled={last} onChange={() => toggle(type)} />
                <span>{formatName(type)}</span>
                <small data-testid={`type-${type}`}>{wordFor(on, carried, changing)}</small>
              </label>
            </li>
          );
        })}
      </ul>
      {chosen !== null && (
        <button type="button" className="rd-link" onClick={() => choose(null)}>
          Follow everything, new types included
        </button>
      )}
      {listed.some((type) => isLetGo(wanted.includes(type), covered.includes(type))) && (
        <p className="rd-types-note">
          This page no longer shows what is off. The stream carries it a little longer, in case you want it
          again, and as long as another tab of yours follows it.
        </p>
      )}
      <p role="status" className="rd-types-problem">
        {problem && `Nothing was changed: ${formatSentence(problem.message)}`}
      </p>
    </fieldset>
  );
}

/** A stream that is shared by tabs, or that may soon be asked for the same again, carries for a while what this page drops. */
const isLetGo = (on: boolean, carried: boolean): boolean => !on && carried;

function wordFor(on: boolean, carried: boolean, changing: boolean): string {
  if (changing || (on && !carried)) return "…";
  if (on) return "on";
  return isLetGo(on, carried) ? "off, still sent" : "off";
}
