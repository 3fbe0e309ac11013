// Everything that a signed-in user sees: header, notices, and one of the pages, over one stream.

import { useEffect, useRef, useState } from "react";
import type { RowcastError } from "../errors.js";
import type { ResetReason } from "../protocol.js";
import { type UseConnectionResult, useConnection } from "../react/useConnection.js";
import { AdminPage } from "./admin/AdminPage.js";
import { useMaySeeStatistics } from "./admin/useStatistics.js";
import { Header } from "./frame/Header.js";
import { Notices } from "./frame/Notices.js";
import { LivePage } from "./LivePage.js";
import { type PageName, type Route, useRoute } from "./route.js";
import type { Session } from "./session/session.js";
import { claimsOf } from "./session/token.js";

interface Props {
  session: Session;
  token: string;
  /** Turned away before anything was to be seen. */
  onRefused: (reason: RowcastError) => void;
}

export function SignedIn({ session, token, onRefused }: Props) {
  const connection = useConnection();
  const route = useRoute();
  const [reset, setReset] = useState<ResetReason | null>(null);
  const [renewing, setRenewing] = useState(false);
  const main = useRef<HTMLElement>(null);
  const { user } = claimsOf(token);
  const expiresAt = expiryOf(token, connection);
  const occasion = occasionOf(connection);
  const isAdmin = useMaySeeStatistics(session.token, occasion);
  const pages: PageName[] = isAdmin || route.page === "admin" ? ["live", "admin"] : ["live"];
  useTitle(connection, route);
  useFocusOn(main, route.page);

  const turnedAway = useTurnedAway(connection, route);
  useEffect(() => {
    if (turnedAway) onRefused(turnedAway);
  }, [turnedAway, onRefused]);

  const renew = (next: string): void => {
    setRenewing(false);
    session.signIn(next);
    // On an open stream the new token waits until the server asks for it; one that has ended is opened again with it.
    if (connection.status !== "connected") connection.reconnect();
  };
  return (
    <>
      {/* No link: the fragment of the address is the route. */}
      <button type="button" className="rd-skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <div className="rd-top">
        <Header
          route={route}
          pages={pages}
          connection={connection}
          user={user}
          expiresAt={expiresAt}
          onRenew={() => setRenewing(true)}
          onSignOut={() => session.signOut()}
        />
        <Notices
          connection={connection}
          route={route}
          reset={reset}
          expiresAt={expiresAt}
          renewing={renewing}
          onSeen={() => setReset(null)}
          onReconnect={connection.reconnect}
          onToken={renew}
          onSignOut={() => session.signOut()}
        />
      </div>
      <main ref={main} id="main" className="rd-main" tabIndex={-1}>
        {/* Hidden, not gone: the stream goes on, and nothing is lost by a look at another page. */}
        <div className="rd-page" hidden={route.page !== "live"}>
          <LivePage
            connection={connection}
            organization={route.organization}
            expiresAt={expiresAt}
            token={session.token}
            onReset={setReset}
          />
        </div>
        {route.page === "admin" && <AdminPage token={session.token} route={route} occasion={occasion} />}
      </main>
    </>
  );
}

/** The server knows best when the stream ends; before it has said so, the token does. */
function expiryOf(token: string, { expiresAt, status }: UseConnectionResult): number | null {
  const said = expiresAt === null || status !== "connected" ? Number.NaN : Date.parse(expiresAt);
  const claimed = claimsOf(token).expiresAt;
  return Number.isNaN(said) ? claimed : Math.max(said, claimed ?? 0);
}

/** Changes with each stream, and with what the user may see. */
function occasionOf({ connectionId, subscriptions, organizations }: UseConnectionResult): string | null {
  return connectionId && JSON.stringify([connectionId, subscriptions, organizations]);
}

/** A refusal of the very first stream: there is nothing on the screen to stay for. */
function useTurnedAway(
  { status, error, cursor }: UseConnectionResult,
  { organization }: Route,
): RowcastError | null {
  // What was refused is what was asked for when it was: for a moment after a change of the route that is something else.
  const [refusal, setRefusal] = useState<{ error: RowcastError | null; organization: string | null }>({
    error: null,
    organization,
  });
  if (refusal.error !== error) setRefusal({ error, organization });
  if (status !== "error" || cursor !== "" || refusal.error !== error || !error) return null;
  if (error.kind === "unauthorized") return error;
  // Of one organization: there may be others.
  return error.kind === "forbidden" && refusal.organization === null ? error : null;
}

const PAGE_TITLES: Record<PageName, string> = { live: "Live", admin: "Admin" };

function useTitle({ status, degraded }: UseConnectionResult, { page, organization }: Route): void {
  const trouble = status === "error" ? "Stopped · " : status === "reconnecting" ? "Reconnecting · " : "";
  const prefix = trouble || (degraded ? "Degraded · " : "");
  const title = [`${prefix}${PAGE_TITLES[page]}`, organization, "rowcast"].filter(Boolean).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Another page begins at its heading, for the keyboard and for screen readers. */
function useFocusOn(main: React.RefObject<HTMLElement | null>, page: PageName): void {
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    const headings = [...(main.current?.querySelectorAll("h1") ?? [])];
    headings.find((heading) => heading.closest("[hidden]") === null)?.focus();
    window.scrollTo(0, 0);
  }, [main, page]);
}
