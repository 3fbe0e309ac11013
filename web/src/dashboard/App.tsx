// Signed in or not.

import { useState } from "react";
import type { RowcastError } from "../errors.js";
import { RowcastProvider } from "../react/RowcastProvider.js";
import { Dashboard } from "./Dashboard.js";
import { SignIn } from "./SignIn.js";
import { useToken } from "./session.js";

export function App() {
  const [token, setToken] = useToken();
  const [refusal, setRefusal] = useState<RowcastError | null>(null);
  const signIn = (next: string): void => {
    setRefusal(null);
    setToken(next);
  };
  const leave = (reason: RowcastError | null): void => {
    setRefusal(reason);
    setToken(null);
  };
  if (token === null) return <SignIn refusal={refusal} onToken={signIn} />;
  return (
    <RowcastProvider key={token} token={() => token} maxReconnectAttempts={Number.POSITIVE_INFINITY}>
      <Dashboard token={token} onLeave={leave} />
    </RowcastProvider>
  );
}
