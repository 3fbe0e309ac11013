// One event in full: where it comes from, why one sees it, and its JSON as it was sent.

import { type KeyboardEvent, useEffect, useRef } from "react";
import { formatName } from "../../components/format.js";
import type { OutboxEvent } from "../../protocol.js";
import { formatAgo } from "../format.js";
import { useNow } from "../useNow.js";
import { CopyButton } from "./CopyButton.js";
import { Explanation } from "./Explanation.js";
import { Json } from "./Json.js";
import { type Neighbours, neighboursOf } from "./sequence.js";

interface Props {
  event: OutboxEvent | null;
  /** The log as it is filtered, newest first. */
  shown: readonly OutboxEvent[];
  token: () => string | null;
  onInspect: (event: OutboxEvent | null) => void;
}

export function Inspector({ event, shown, token, onInspect }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = event !== null;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const neighbours = event && neighboursOf(event, shown);
  const onKeyDown = (pressed: KeyboardEvent): void => {
    const next = neighbours && neighbourAt(pressed, neighbours);
    if (!next) return;
    pressed.preventDefault();
    onInspect(next);
  };
  return (
    <dialog
      ref={dialog}
      className="rd-inspector"
      aria-labelledby="rd-inspector-title"
      onClose={() => onInspect(null)}
      onClick={(click) => click.target === dialog.current && onInspect(null)}
      onKeyDown={onKeyDown}
    >
      {event && neighbours && (
        <div className="rd-inspector-content">
          <Head event={event} neighbours={neighbours} onInspect={onInspect} />
          <Details key={event.id} event={event} token={token} />
        </div>
      )}
    </dialog>
  );
}

/** J and K as in mail; the arrows too, where they do not scroll a text. */
function neighbourAt({ key, target, altKey, ctrlKey, metaKey }: KeyboardEvent, { newer, older }: Neighbours) {
  if (altKey || ctrlKey || metaKey) return null;
  const scrolls = target instanceof HTMLElement && target.closest("pre") !== null;
  if (key === "j" || (key === "ArrowDown" && !scrolls)) return older;
  if (key === "k" || (key === "ArrowUp" && !scrolls)) return newer;
  return null;
}

interface HeadProps {
  event: OutboxEvent;
  neighbours: Neighbours;
  onInspect: (event: OutboxEvent | null) => void;
}

function Head({ event, neighbours: { newer, older, place }, onInspect }: HeadProps) {
  return (
    <header>
      <div>
        <h2 id="rd-inspector-title">{formatName(event.type)}</h2>
        <p className="rd-muted">
          Event <code data-testid="inspected">{event.id}</code>
          {place && ` · ${place[0]} of ${place[1]}`}
        </p>
      </div>
      <Step label="Newer event" keys="k" to={newer} onInspect={onInspect} />
      <Step label="Older event" keys="j" to={older} onInspect={onInspect} />
      <button type="button" className="rd-button" onClick={() => onInspect(null)}>
        Close
      </button>
    </header>
  );
}

interface StepProps {
  label: string;
  keys: string;
  to: OutboxEvent | null;
  onInspect: (event: OutboxEvent) => void;
}

function Step({ label, keys, to, onInspect }: StepProps) {
  return (
    <button
      type="button"
      className="rd-button rd-step"
      aria-label={label}
      aria-keyshortcuts={keys}
      // Not `disabled`, or the focus would be lost at the end of the list, and the keys with it.
      aria-disabled={to === null}
      title={`${label} (${keys.toUpperCase()})`}
      onClick={() => to && onInspect(to)}
    >
      <span className={keys === "k" ? "rd-caret rd-caret-up" : "rd-caret"} aria-hidden="true" />
    </button>
  );
}

function Details({ event, token }: { event: OutboxEvent; token: () => string | null }) {
  const json = JSON.stringify(event, null, 2);
  const facts: [string, string | undefined][] = [
    ["Written", event.timestamp],
    ["Row", event.source && `${event.operation} ${event.source}`],
    ["Key", event.key],
    ["Transaction", event.txid],
    ["Organization", event.organizationId ?? "platform-wide"],
    ["User", event.userId],
    ["Chatbot", event.chatbotId],
    ["Session", event.sessionId],
    ["Priority", event.priority],
  ];
  return (
    <>
      <dl className="rd-facts">
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  {value}
                  {name === "Written" && <Ago since={event.timestamp} />}
                </dd>
              </div>
            ),
        )}
      </dl>
      <Explanation event={event.id} token={token} />
      <section className="rd-raw" aria-labelledby="rd-raw">
        <header>
          <h3 id="rd-raw">As it was sent</h3>
          <CopyButton label="Copy JSON" text={json} />
          <CopyButton label="Copy psql line" text={psqlLine(event)} />
        </header>
        <Json text={json} />
      </section>
    </>
  );
}

function Ago({ since }: { since: string }) {
  const now = useNow();
  return <small>{formatAgo(Math.max(0, now - Date.parse(since)))}</small>;
}

/** Shows the row of the outbox, to whoever may connect to the database. */
export function psqlLine({ id }: OutboxEvent): string {
  // Ids are digits; anything else must not reach a shell.
  const digits = id.replace(/\D/g, "");
  return `psql "$DATABASE_URL" -x -c "SELECT * FROM rowcast.outbox WHERE id = ${digits}"`;
}
