// The way in without a signed-in link: a token is pasted.

import { type SubmitEvent, useId } from "react";
import { Mark } from "../components/parts/Mark.js";
import type { RowcastError } from "../errors.js";
import { tokenIn } from "./session.js";

interface Props {
  /** Why the last token was not good enough. */
  refusal: RowcastError | null;
  onToken: (token: string) => void;
}

export function SignIn({ refusal, onToken }: Props) {
  const field = useId();
  const problem = useId();
  const onSubmit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const pasted = new FormData(event.currentTarget).get("token");
    const token = typeof pasted === "string" ? tokenIn(pasted) : null;
    if (token) onToken(token);
  };
  return (
    <main className="rc-signin">
      <form className="rc-signin-card" onSubmit={onSubmit}>
        <Mark />
        <h1>Sign in to rowcast</h1>
        <p className="rc-muted">Live events from your Postgres tables, the moment they commit.</p>
        {refusal && (
          <p className="rc-signin-problem" id={problem} role="alert">
            <strong>
              {refusal.kind === "forbidden"
                ? "Nothing to see with this token."
                : "This token was not accepted."}
            </strong>{" "}
            {sentence(refusal.message)}
          </p>
        )}
        <label htmlFor={field}>Access token</label>
        <input
          id={field}
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="eyJhbGciOi…"
          aria-invalid={refusal !== null}
          aria-describedby={refusal ? problem : undefined}
          required
        />
        <button type="submit" className="rc-button rc-button-primary">
          Open the stream
        </button>
        <p className="rc-signin-hint">
          <code>rowcast token --user NAME</code> signs one. It stays in this tab and goes to this server only.
        </p>
      </form>
    </main>
  );
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}
