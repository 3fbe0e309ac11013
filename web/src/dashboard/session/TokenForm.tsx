// Where a token is pasted: to sign in, and to go on when the one in use is over.

import { type ReactNode, type SubmitEvent, useId, useState } from "react";
import { formatAgo } from "../format.js";
import { claimsOf, tokenIn } from "./token.js";

interface Props {
  label: string;
  action: string;
  /** Why the last token was not good enough; told until another is tried. */
  problem?: ReactNode;
  onToken: (token: string) => void;
}

export function TokenForm({ label, action, problem, onToken }: Props) {
  const field = useId();
  const trouble = useId();
  const [fault, setFault] = useState<string | null>(null);
  const shown = fault ?? problem;
  const onSubmit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const pasted = new FormData(event.currentTarget).get("token");
    const token = typeof pasted === "string" ? tokenIn(pasted) : null;
    const found = faultOf(token);
    setFault(found);
    if (token !== null && found === null) onToken(token);
  };
  return (
    <form className="rd-token" onSubmit={onSubmit}>
      {shown && (
        <p className="rd-token-problem" id={trouble} role="alert">
          {shown}
        </p>
      )}
      <label htmlFor={field}>{label}</label>
      <div className="rd-token-line">
        <input
          id={field}
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="eyJhbGciOi…"
          aria-invalid={Boolean(shown)}
          aria-describedby={shown ? trouble : undefined}
          required
        />
        <button type="submit" className="rd-button rd-button-primary">
          {action}
        </button>
      </div>
    </form>
  );
}

/** What can be seen to be wrong without asking the server. */
function faultOf(token: string | null): string | null {
  if (token === null) return "There is no token in what was pasted.";
  const { expiresAt } = claimsOf(token);
  if (expiresAt === null || expiresAt > Date.now()) return null;
  return `This token expired ${formatAgo(Date.now() - expiresAt)}.`;
}
