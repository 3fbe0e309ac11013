// Signed in or not.

import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import type { CursorStorage } from "../connection.js";
import type { RowcastError } from "../errors.js";
import { RowcastProvider } from "../react/RowcastProvider.js";
import { useRoute } from "./route.js";
import { SignedIn } from "./SignedIn.js";
import { SignIn } from "./session/SignIn.js";
import type { Session } from "./session/session.js";
import { claimsOf } from "./session/token.js";

export function App({ session }: { session: Session }) {
  const token = useSyncExternalStore(session.subscribe, session.token);
  const { organization } = useRoute();
  const [refusal, setRefusal] = useState<RowcastError | null>(null);
  const onRefused = useCallback(
    (reason: RowcastError) => {
      setRefusal(reason);
      session.forget();
    },
    [session],
  );
  const signIn = (next: string): void => {
    setRefusal(null);
    session.signIn(next);
  };
  const user = token === null ? null : claimsOf(token).user;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another user begins anew.
  const position = useMemo(createPosition, [user]);
  if (token === null) return <SignIn refusal={refusal} onToken={signIn} />;
  return (
    // Another user begins anew; a newer token of the same one goes on.
    <RowcastProvider
      key={user}
      token={session.source}
      // Tabs of one organization share a stream of that organization. One that changes takes its position along.
      tabs={user === null ? true : JSON.stringify([user, organization])}
      storage={position}
      organizationId={organization ?? undefined}
      maxReconnectAttempts={Number.POSITIVE_INFINITY}
    >
      <SignedIn session={session} token={token} onRefused={onRefused} />
    </RowcastProvider>
  );
}

/** Where the page has got to, whichever stream it was on: what came between two of them is not lost. */
function createPosition(): CursorStorage {
  let position: string | null = null;
  return {
    read: () => position,
    write: (cursor) => {
      position = cursor;
    },
  };
}
