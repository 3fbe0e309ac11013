// Where one is, whether it is live, of which organization, and who is looking.

import { StatusIndicator } from "../../components/StatusIndicator.js";
import type { ConnectionState } from "../../connection.js";
import { hrefOf, type PageName, type Route } from "../route.js";
import { Mark } from "./Mark.js";
import { OrganizationSwitcher } from "./OrganizationSwitcher.js";
import { UserMenu } from "./UserMenu.js";
import { useOrganizations } from "./useOrganizations.js";

const NAMES: Record<PageName, string> = { live: "Live", admin: "Admin" };

interface Props {
  route: Route;
  /** Those that this user has. */
  pages: readonly PageName[];
  connection: ConnectionState;
  user: string | null;
  expiresAt: number | null;
  onRenew: () => void;
  onSignOut: () => void;
}

export function Header({ route, pages, connection, user, expiresAt, onRenew, onSignOut }: Props) {
  const organizations = useOrganizations(user, connection, route.organization);
  return (
    <header className="rd-header">
      <a className="rd-brand" href={hrefOf({ ...route, page: "live" })} aria-label="rowcast, live page">
        <Mark />
        <span>rowcast</span>
      </a>
      <nav aria-label="Pages">
        <ul className="rd-nav">
          {pages.map((page) => (
            <li key={page}>
              <a href={hrefOf({ ...route, page })} aria-current={page === route.page ? "page" : undefined}>
                {NAMES[page]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <StatusIndicator status={connection.status} degraded={connection.degraded} />
      <div className="rd-header-end">
        <OrganizationSwitcher route={route} organizations={organizations} />
        <UserMenu user={user} expiresAt={expiresAt} onRenew={onRenew} onSignOut={onSignOut} />
      </div>
    </header>
  );
}
