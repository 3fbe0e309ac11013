// The way in without a signed-in link: a token is pasted.

import { useEffect } from "react";
import type { RowcastError } from "../../errors.js";
import { formatSentence } from "../format.js";
import { Mark } from "../frame/Mark.js";
import { TokenForm } from "./TokenForm.js";

interface Props {
  /** Why the last token was not good enough. */
  refusal: RowcastError | null;
  onToken: (token: string) => void;
}

export function SignIn({ refusal, onToken }: Props) {
  useEffect(() => {
    document.title = "Sign in · rowcast";
  }, []);
  return (
    <main className="rd-signin">
      <div className="rd-signin-card">
        <Mark />
        <h1>Sign in to rowcast</h1>
        <p className="rd-muted">Live events from your Postgres tables, the moment they commit.</p>
        <TokenForm
          label="Access token"
          action="Open the stream"
          problem={refusal && <Refusal of={refusal} />}
          onToken={onToken}
        />
        <p className="rd-signin-hint">
          <code>rowcast token --user NAME</code> signs one. A signed-in link or an <code>Authorization</code>{" "}
          header will do as well. It stays in this tab and goes to this server only.
        </p>
      </div>
    </main>
  );
}

function Refusal({ of }: { of: RowcastError }) {
  return (
    <>
      <strong>{titleOf(of)}</strong> {formatSentence(of.message)}
    </>
  );
}

function titleOf({ kind, code }: RowcastError): string {
  if (kind === "forbidden") return "Nothing to see with this token.";
  return code === "token_expired" ? "This token has expired." : "This token was not accepted.";
}
