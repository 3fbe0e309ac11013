// Why do I see this? The rules in their order, and what is hidden from this user.

import type { RowcastError } from "../../errors.js";
import type { ExplainedRule, HiddenField } from "../../protocol.js";
import { formatSentence } from "../format.js";
import { summaryOf, useExplanation } from "./explanation.js";

interface Props {
  event: string;
  token: () => string | null;
}

export function Explanation({ event, token }: Props) {
  const [explanation, askAgain] = useExplanation(event, token);
  return (
    <section className="rd-why" aria-labelledby="rd-why" aria-busy={explanation.state === "loading"}>
      <h3 id="rd-why">Why do I see this?</h3>
      {explanation.state === "loading" && <p className="rd-muted rd-pulse">Asking the server…</p>}
      {explanation.state === "failed" && <Failure error={explanation.error} onAgain={askAgain} />}
      {explanation.state === "answered" && (
        <>
          <p>{summaryOf(explanation.data)}</p>
          <Hidden fields={explanation.data.hidden} />
          <details>
            <summary>The rules, one by one</summary>
            <Rules rules={explanation.data.rules} />
          </details>
        </>
      )}
    </section>
  );
}

const WHY_NOT: Record<string, string> = {
  unauthorized: "Your token is no longer accepted: paste a new one, then ask again.",
  forbidden: "You may not see this event any more.",
  limited: "You have asked too often: wait a little.",
};

function Failure({ error, onAgain }: { error: RowcastError; onAgain: () => void }) {
  const { kind, code, message } = error;
  const gone = code === "event_not_found";
  return (
    <p className="rd-why-failure">
      {gone
        ? "The server no longer has this event, or you may not see it any more."
        : (WHY_NOT[kind] ?? formatSentence(message))}{" "}
      <button type="button" className="rd-link" onClick={onAgain}>
        Ask again
      </button>
    </p>
  );
}

function Hidden({ fields }: { fields: readonly HiddenField[] }) {
  if (fields.length === 0) return <p className="rd-muted">Nothing of it is hidden from you.</p>;
  return (
    <ul className="rd-why-hidden">
      {fields.map(({ path, permission, replacement }) => (
        <li key={path.join(".")}>
          <code>{path.join(".")}</code> is{" "}
          {replacement === undefined ? "removed" : `replaced by ${JSON.stringify(replacement)}`} for you; the
          permission <code>{permission}</code> would reveal it.
        </li>
      ))}
    </ul>
  );
}

function Rules({ rules }: { rules: readonly ExplainedRule[] }) {
  return (
    <table className="rd-rules">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Passes</th>
          <th scope="col">Because</th>
        </tr>
      </thead>
      <tbody>
        {rules.map(({ rule, passes, detail }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule can come twice, and the list never changes.
          <tr key={at} data-passes={passes ?? "tells"}>
            <th scope="row">{rule}</th>
            <td>{passes === undefined ? "–" : passes ? "yes" : "no"}</td>
            <td>{detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
