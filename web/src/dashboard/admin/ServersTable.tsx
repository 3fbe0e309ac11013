// Each server: what it holds, what it has done, and how late it is.

import { useId } from "react";
import { formatCount } from "../../components/format.js";
import type { ServerStatistics } from "../../protocol.js";
import { formatLag, formatSpan } from "../format.js";
import { useNow } from "../useNow.js";

export function ServersTable({ servers }: { servers: readonly ServerStatistics[] }) {
  const heading = useId();
  const now = useNow();
  return (
    <section className="rd-card" aria-labelledby={heading}>
      <header>
        <h2 id={heading}>Servers</h2>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls on narrow screens, so the keyboard must reach it. */}
      <section className="rd-table-scroll" tabIndex={0} aria-label="All servers">
        <table className="rd-table">
          <thead>
            <tr>
              <th scope="col">Server</th>
              <th scope="col">Running for</th>
              <th scope="col" className="rd-number">
                Streams
              </th>
              <th scope="col" className="rd-number">
                Opened so far
              </th>
              <th scope="col" className="rd-number">
                Events read
              </th>
              <th scope="col" className="rd-number">
                Events sent
              </th>
              <th scope="col" className="rd-number">
                Lag, mean
              </th>
              <th scope="col" className="rd-number">
                Lag, most
              </th>
            </tr>
          </thead>
          <tbody>
            {servers.map((server) => (
              <tr key={server.id} data-testid="server">
                <th scope="row">
                  <code>{server.id}</code>
                </th>
                <td>
                  <time dateTime={server.startedAt} title={`since ${server.startedAt}`}>
                    {formatSpan((now - Date.parse(server.startedAt)) / 1000)}
                  </time>
                </td>
                <td className="rd-number">{formatCount(server.connections)}</td>
                <td className="rd-number">{formatCount(server.connectionsOpened)}</td>
                <td className="rd-number" title={byType(server.eventsRead)}>
                  {formatCount(sum(server.eventsRead))}
                </td>
                <td className="rd-number">{formatCount(server.eventsSent)}</td>
                <td className="rd-number">{lagOf(server.deliveryLag?.meanMs)}</td>
                <td className="rd-number">{lagOf(server.deliveryLag?.maxMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

const byType = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([type, count]) => `${type}: ${formatCount(count)}`)
    .join("\n");

const lagOf = (ms: number | null | undefined): string => (ms == null ? "–" : formatLag(ms));
