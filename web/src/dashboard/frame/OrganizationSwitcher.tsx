// Narrows everything to one organization, or widens it again. Choices are links: the address says what is shown.

import { type SubmitEvent, useId, useState } from "react";
import { goTo, hrefOf, type Route } from "../route.js";
import { Popup } from "./Popup.js";
import type { Organizations } from "./useOrganizations.js";

/** Beyond this many a list is searched, not read. */
const SHORT = 7;

interface Props {
  route: Route;
  organizations: Organizations | null;
}

export function OrganizationSwitcher({ route, organizations }: Props) {
  const { organization } = route;
  const face = organization ?? (organizations === null ? "Organizations" : "All organizations");
  return (
    <Popup face={<span className="rd-ellipsis">{face}</span>} label="Organization">
      {(close) => <Choices route={route} organizations={organizations ?? []} onChosen={close} />}
    </Popup>
  );
}

interface ChoicesProps {
  route: Route;
  organizations: Organizations;
  onChosen: () => void;
}

function Choices({ route, organizations, onChosen }: ChoicesProps) {
  const [text, setText] = useState("");
  const field = useId();
  const all = organizations === "all";
  const listed = all ? (route.organization === null ? [] : [route.organization]) : organizations;
  const found = listed.filter((name) => name.toLowerCase().includes(text.trim().toLowerCase()));
  const onSubmit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = all ? text.trim() : found[0];
    if (!name) return;
    goTo({ ...route, organization: name });
    onChosen();
  };
  return (
    <>
      {(all || listed.length > SHORT) && (
        <form className="rd-choice-search" onSubmit={onSubmit}>
          <label htmlFor={field}>{all ? "Enter an organization" : "Find an organization"}</label>
          <input
            id={field}
            value={text}
            onChange={({ target }) => setText(target.value)}
            placeholder={all ? "Its id, then Enter" : "A part of its id"}
            autoComplete="off"
            spellCheck={false}
          />
        </form>
      )}
      <ul className="rd-choices">
        <Choice
          label="All organizations"
          href={hrefOf({ ...route, organization: null })}
          current={route.organization === null}
          onChosen={onChosen}
        />
        {found.map((name) => (
          <Choice
            key={name}
            label={name}
            href={hrefOf({ ...route, organization: name })}
            current={name === route.organization}
            onChosen={onChosen}
          />
        ))}
      </ul>
      {all && <p className="rd-popup-note">You are platform staff: every organization is open to you.</p>}
    </>
  );
}

interface ChoiceProps {
  label: string;
  href: string;
  current: boolean;
  onChosen: () => void;
}

function Choice({ label, href, current, onChosen }: ChoiceProps) {
  return (
    <li>
      <a href={href} aria-current={current ? "true" : undefined} onClick={onChosen}>
        <span className="rd-ellipsis">{label}</span>
      </a>
    </li>
  );
}
