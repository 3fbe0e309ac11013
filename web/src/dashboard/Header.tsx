// Who is looking, at what, and whether it is live.

import { Mark } from "../components/parts/Mark.js";
import { StatusIndicator } from "../components/StatusIndicator.js";
import type { ConnectionState } from "../connection.js";

interface Props {
  connection: ConnectionState;
  user: string | null;
  onSignOut: () => void;
}

export function Header({ connection, user, onSignOut }: Props) {
  const { status, organizations, degraded, connectionId } = connection;
  return (
    <header className="rc-header">
      <div className="rc-brand">
        <Mark />
        <span>rowcast</span>
      </div>
      <StatusIndicator status={status} degraded={degraded} />
      <ul className="rc-organizations" aria-label="Organizations">
        {connectionId !== null && organizations === null && <li>All organizations</li>}
        {organizations?.map((organization) => (
          <li key={organization}>{organization}</li>
        ))}
      </ul>
      <div className="rc-user">
        {user && <span title="The user that the token names">{user}</span>}
        <button type="button" className="rc-button" onClick={onSignOut}>
          Sign out
        </button>
      </div>
    </header>
  );
}
