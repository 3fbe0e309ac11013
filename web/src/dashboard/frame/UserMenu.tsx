// Who is signed in, until when, and the ways on and out.

import { formatSpan } from "../format.js";
import { useNow } from "../useNow.js";
import { Popup } from "./Popup.js";

interface Props {
  user: string | null;
  /** When the token ends, in milliseconds of wall time. */
  expiresAt: number | null;
  onRenew: () => void;
  onSignOut: () => void;
}

export function UserMenu({ user, expiresAt, onRenew, onSignOut }: Props) {
  const name = user ?? "Signed in";
  return (
    <Popup
      label="Account"
      face={
        <>
          <span className="rd-avatar" aria-hidden="true">
            {name.replace(/^user[_-]/, "").slice(0, 2)}
          </span>
          <span className="rd-ellipsis rd-user-name">{name}</span>
        </>
      }
    >
      {(close) => (
        <>
          <div className="rd-popup-note">
            <strong>{name}</strong>
            <Expiry at={expiresAt} />
          </div>
          <ul className="rd-choices">
            <li>
              <button
                type="button"
                onClick={() => {
                  close();
                  onRenew();
                }}
              >
                Use a newer token
              </button>
            </li>
            <li>
              <button type="button" onClick={onSignOut}>
                Sign out
              </button>
            </li>
          </ul>
        </>
      )}
    </Popup>
  );
}

export function Expiry({ at }: { at: number | null }) {
  const now = useNow();
  if (at === null) return <span>The token does not say when it ends.</span>;
  const left = (at - now) / 1000;
  return <span>{left > 0 ? `The token ends in ${formatSpan(left)}.` : "The token has ended."}</span>;
}
