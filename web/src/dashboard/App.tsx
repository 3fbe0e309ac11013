// Signed in or not.

import { useCallback, useState, useSyncExternalStore } from "react";
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
  if (token === null) return <SignIn refusal={refusal} onToken={signIn} />;
  return (
    // Another user begins anew; a newer token of the same one goes on.
    <RowcastProvider
      key={claimsOf(token).user}
      token={session.source}
      organizationId={organization ?? undefined}
      maxReconnectAttempts={Number.POSITIVE_INFINITY}
    >
      <SignedIn session={session} token={token} onRefused={onRefused} />
    </RowcastProvider>
  );
}
