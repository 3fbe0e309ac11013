// Who is connected, over all servers, for those who may know.

import { type ReactNode, useEffect } from "react";
import { formatCount, formatName } from "../../components/format.js";
import type { RowcastError } from "../../errors.js";
import type { Statistics } from "../../protocol.js";
import { formatAgo, formatLag, formatSentence, formatSpan } from "../format.js";
import { hrefOf, type Route } from "../route.js";
import { useNow } from "../useNow.js";
import { CountTable } from "./CountTable.js";
import { ServersTable } from "./ServersTable.js";
import type { StatisticsState } from "./statistics.js";
import { useStatistics } from "./useStatistics.js";

interface Props {
  token: () => string | null;
  route: Route;
  /** Goes to each stream: a user whose token was renewed is asked for again. */
  occasion: string | null;
}

export function AdminPage({ token, route, occasion }: Props) {
  const { organization } = route;
  const [state, refresh] = useStatistics(token, organization);
  const { data, error } = state;
  const refused = error?.final === true;
  // What was refused to an old token may be open to the new one.
  useEffect(() => {
    if (occasion !== null && refused) refresh();
  }, [occasion, refused, refresh]);
  return (
    <div className="rd-admin">
      <div className="rd-admin-head">
        <h1 tabIndex={-1}>{organization === null ? "All servers" : `All servers, ${organization} alone`}</h1>
        {!refused && <Freshness state={state} onRefresh={refresh} />}
      </div>
      {refused && <Refused error={error} route={route} onAgain={refresh} />}
      {!refused && !data && <Waiting error={error} />}
      {data && <Figures data={data} />}
    </div>
  );
}

function Figures({ data }: { data: Statistics }) {
  const { totalConnections, activeConnections, deliveryLag, serverUptime, servers } = data;
  return (
    <>
      <div className="rd-totals">
        <Total name="Open streams">{formatCount(totalConnections)}</Total>
        <Total name="Active" note="took something of late">
          {formatCount(activeConnections)}
        </Total>
        <Total
          name="Delivery lag"
          note={
            deliveryLag?.maxMs == null
              ? "nothing was sent of late"
              : `at most ${formatLag(deliveryLag.maxMs)}`
          }
        >
          {deliveryLag?.meanMs == null ? "–" : formatLag(deliveryLag.meanMs)}
        </Total>
        {servers && <Total name="Servers">{formatCount(servers.length)}</Total>}
        <Total name="Uptime" note="of the server that answers">
          {formatSpan(serverUptime)}
        </Total>
      </div>
      {servers && <ServersTable servers={servers} />}
      <div className="rd-admin-tables">
        <CountTable title="Streams by user" column="User" counts={data.connectionsByUser} />
        <CountTable
          title="Streams by organization"
          column="Organization"
          counts={data.connectionsByOrganization}
          note="Streams of platform staff, who are in every organization, count for none."
        />
        <CountTable title="Streams by type" column="Type" counts={data.eventTypes} format={formatName} />
      </div>
    </>
  );
}

interface TotalProps {
  name: string;
  note?: string;
  children: ReactNode;
}

function Total({ name, note, children }: TotalProps) {
  return (
    <dl className="rd-total">
      <dt>{name}</dt>
      <dd>
        {children}
        {note && <small>{note}</small>}
      </dd>
    </dl>
  );
}

function Freshness({ state: { data, error }, onRefresh }: { state: StatisticsState; onRefresh: () => void }) {
  const now = useNow();
  const at = data && Date.parse(data.timestamp);
  return (
    <div className="rd-fresh">
      <span>{error && data && <span role="status">{formatSentence(error.message)} </span>}</span>
      {at !== null && <small>as of {formatAgo(Math.max(0, now - at))}</small>}
      <button type="button" className="rd-button" onClick={onRefresh}>
        Refresh
      </button>
    </div>
  );
}

function Waiting({ error }: { error: RowcastError | null }) {
  return (
    <p className="rd-nothing" role="status">
      {error ? `${formatSentence(error.message)} It is asked again by itself.` : "Asking the servers…"}
    </p>
  );
}

interface RefusedProps {
  error: RowcastError;
  route: Route;
  onAgain: () => void;
}

function Refused({ error, route, onAgain }: RefusedProps) {
  const forbidden = error.kind === "forbidden";
  return (
    <div className="rd-refused" role="alert">
      <h2>{forbidden ? "Statistics are for admins" : "Not now"}</h2>
      <p>
        {forbidden
          ? route.organization === null
            ? "You hold the permission admin in no organization."
            : `You do not hold the permission admin in ${route.organization}.`
          : formatSentence(error.message)}
      </p>
      <p className="rd-refused-ways">
        {forbidden && route.organization !== null && (
          <a href={hrefOf({ ...route, organization: null })}>Show all organizations</a>
        )}
        <a href={hrefOf({ ...route, page: "live" })}>Back to the live page</a>
        <button type="button" className="rd-link" onClick={onAgain}>
          Ask again
        </button>
      </p>
    </div>
  );
}
