// Names and how many streams each has: sorted by either, and no longer than can be read.

import { type ReactNode, useId, useState } from "react";
import { formatCount } from "../../components/format.js";

/** How many rows are drawn, until more are asked for. */
const PAGE = 20;

interface Props {
  title: string;
  /** What the names are. */
  column: string;
  counts: Readonly<Record<string, number>>;
  note?: string;
  format?: (name: string) => string;
}

type Order = "name" | "count";

export function CountTable({ title, column, counts, note, format = (name) => name }: Props) {
  const heading = useId();
  const [order, setOrder] = useState<Order>("count");
  const [descending, setDescending] = useState(true);
  const [drawn, setDrawn] = useState(PAGE);
  const rows = sorted(Object.entries(counts), order, descending);
  const most = Math.max(1, ...rows.map(([, count]) => count));
  const sortBy = (next: Order): void => {
    setDescending(next === order ? !descending : next === "count");
    setOrder(next);
  };
  const head = (name: Order, label: ReactNode) => (
    <th
      scope="col"
      className={name === "count" ? "rd-number" : undefined}
      aria-sort={order === name ? (descending ? "descending" : "ascending") : "none"}
    >
      <button type="button" onClick={() => sortBy(name)}>
        {label}
      </button>
    </th>
  );
  return (
    <section className="rd-card" aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{title}</h2>
        <small>{formatCount(rows.length)}</small>
      </header>
      {rows.length === 0 ? (
        <p className="rd-nothing">None.</p>
      ) : (
        <table className="rd-table">
          <thead>
            <tr>
              {head("name", column)}
              {head("count", "Streams")}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, drawn).map(([name, count]) => (
              <tr key={name}>
                <th scope="row">
                  <span className="rd-ellipsis">{format(name)}</span>
                </th>
                <td className="rd-number">
                  <meter min={0} max={most} value={count} aria-hidden="true" />
                  {formatCount(count)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rows.length > drawn && (
        <button type="button" className="rd-link rd-card-more" onClick={() => setDrawn(drawn + PAGE * 5)}>
          {formatCount(rows.length - drawn)} more
        </button>
      )}
      {note && <p className="rd-card-note">{note}</p>}
    </section>
  );
}

/** By one column, and by the name where that is the same. */
export function sorted(
  rows: readonly [string, number][],
  order: Order,
  descending: boolean,
): readonly [string, number][] {
  const turn = descending ? -1 : 1;
  return rows.toSorted(([name, count], [otherName, otherCount]) => {
    if (order === "name") return turn * name.localeCompare(otherName);
    return turn * (count - otherCount) || name.localeCompare(otherName);
  });
}
