// What of the log is shown: by type, organization, and words.

import { useId } from "react";
import { formatCount, formatName } from "../../components/format.js";
import type { Filter } from "./filter.js";
import { type Log, receivedOf } from "./log.js";

interface Props {
  log: Log;
  filter: Filter;
  onFilter: (filter: Filter) => void;
}

/** As the value of an option; an organization's id is never empty. */
const ALL = "*";

export function LogFilter({ log, filter, onFilter }: Props) {
  const { events, counts } = log;
  const search = useId();
  const select = useId();
  const types = Object.keys(counts).toSorted();
  const organizations = [...new Set(events.map(({ organizationId }) => organizationId ?? ""))].toSorted();
  const chosen = filter.organization;
  if (chosen !== null && !organizations.includes(chosen)) organizations.push(chosen);
  return (
    <search className="rd-filter">
      <div className="rd-filter-words">
        <label className="rd-hidden" htmlFor={search}>
          Search the log
        </label>
        <input
          id={search}
          type="search"
          value={filter.text}
          onChange={({ target }) => onFilter({ ...filter, text: target.value })}
          placeholder="Search text, or #id"
          autoComplete="off"
          spellCheck={false}
        />
        {(organizations.length > 1 || chosen !== null) && (
          <>
            <label className="rd-hidden" htmlFor={select}>
              Organization
            </label>
            <select
              id={select}
              value={chosen ?? ALL}
              onChange={({ target }) =>
                onFilter({ ...filter, organization: target.value === ALL ? null : target.value })
              }
            >
              <option value={ALL}>Any organization</option>
              {organizations.map((name) => (
                <option key={name} value={name}>
                  {name || "Platform-wide"}
                </option>
              ))}
            </select>
          </>
        )}
      </div>
      <fieldset className="rd-chips">
        <legend className="rd-hidden">Show events of</legend>
        <Chip
          label="All"
          count={receivedOf(log)}
          chosen={filter.type === null}
          onChoose={() => onFilter({ ...filter, type: null })}
        />
        {types.map((type) => (
          <Chip
            key={type}
            label={formatName(type)}
            count={counts[type] ?? 0}
            chosen={filter.type === type}
            onChoose={() => onFilter({ ...filter, type })}
          />
        ))}
      </fieldset>
    </search>
  );
}

interface ChipProps {
  label: string;
  count: number;
  chosen: boolean;
  onChoose: () => void;
}

function Chip({ label, count, chosen, onChoose }: ChipProps) {
  return (
    <button type="button" className="rd-chip" aria-pressed={chosen} onClick={onChoose}>
      {label} <span>{formatCount(count)}</span>
    </button>
  );
}
