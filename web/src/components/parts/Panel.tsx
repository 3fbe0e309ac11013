// The frame of every component: a title, how many events came, and what to say while there is nothing to show.

import { createContext, type ReactNode, useContext, useId } from "react";
import type { EventType } from "../../protocol.js";
import { formatCount } from "../format.js";
import { type Standing, useStanding } from "../useStanding.js";
import { Blank, Skeleton } from "./Blank.js";
import { ConnectionNotice, ResetNotice } from "./Notice.js";

/** True below what speaks of the connection itself, so that its panels need not each say the same. */
export const Framed = createContext(false);

interface Props {
  title: string;
  /** What `useProjection` gave. */
  followed: {
    readonly type: EventType;
    readonly received: number;
    readonly wasReset: boolean;
    readonly acknowledge: () => void;
  };
  empty: boolean;
  /** What will appear here. */
  hint: string;
  /** Beside the title: filters, switches. */
  tools?: ReactNode;
  children: ReactNode;
}

export function Panel({ title, followed, empty, hint, tools, children }: Props) {
  const { type, received, wasReset, acknowledge } = followed;
  const standing = useStanding(type);
  const framed = useContext(Framed);
  const heading = useId();
  const denied = standing === "denied";
  return (
    <section
      className="rc-root rc-panel"
      aria-labelledby={heading}
      aria-busy={standing === "connecting"}
      data-type={type}
      data-standing={standing}
    >
      <header className="rc-panel-head">
        <h2 className="rc-panel-title" id={heading}>
          {title}
        </h2>
        {!denied && (received > 0 || standing !== "connecting") && (
          <span className="rc-count" title={`${formatCount(received)} events`} data-testid={`count-${type}`}>
            {formatCount(received)}
          </span>
        )}
        {!denied && !empty && tools && <div className="rc-panel-tools">{tools}</div>}
      </header>
      {!framed && <ConnectionNotice standing={standing} />}
      {!framed && wasReset && <ResetNotice onDismiss={acknowledge} />}
      {denied || empty ? <Nothing standing={standing} hint={hint} /> : children}
    </section>
  );
}

function Nothing({ standing, hint }: { standing: Standing; hint: string }) {
  switch (standing) {
    case "denied":
      return <Blank icon="lock">Your role may not see these events.</Blank>;
    case "connecting":
      return <Skeleton />;
    case "stopped":
    case "reconnecting":
      return <Blank icon="cut">Not connected. Nothing came so far.</Blank>;
    default:
      return <Blank icon="quiet">{hint}</Blank>;
  }
}
