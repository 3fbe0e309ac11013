// One event in full: where it comes from, and its JSON as it was sent.

import { useEffect, useRef, useState } from "react";
import { formatName } from "../components/format.js";
import { Json } from "../components/parts/Json.js";
import type { OutboxEvent } from "../protocol.js";

export function Inspector({ event, onClose }: { event: OutboxEvent | null; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (event) dialog.current?.showModal();
    else dialog.current?.close();
  }, [event]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click is one on the backdrop; the keyboard has Escape.
    <dialog
      ref={dialog}
      className="rc-inspector"
      aria-labelledby="rc-inspector-title"
      onClose={onClose}
      onClick={(click) => click.target === dialog.current && onClose()}
    >
      {event && <Details key={event.id} event={event} onClose={onClose} />}
    </dialog>
  );
}

function Details({ event, onClose }: { event: OutboxEvent; onClose: () => void }) {
  const json = JSON.stringify(event, null, 2);
  const facts: [string, string | undefined][] = [
    ["Written", event.timestamp],
    ["Row", event.source && `${event.operation} ${event.source}`],
    ["Key", event.key],
    ["Transaction", event.txid],
    ["Organization", event.organizationId ?? "platform-wide"],
    ["User", event.userId],
    ["Priority", event.priority],
  ];
  return (
    <div className="rc-inspector-content">
      <header>
        <div>
          <h2 id="rc-inspector-title">{formatName(event.type)}</h2>
          <p className="rc-muted">
            Event <code>{event.id}</code>
          </p>
        </div>
        <CopyButton text={json} />
        <button type="button" className="rc-button" onClick={onClose}>
          Close
        </button>
      </header>
      <dl className="rc-facts">
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <Json text={json} />
    </div>
  );
}

function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  // Pages served without TLS have no clipboard.
  if (!navigator.clipboard) return null;
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <button type="button" className="rc-button" onClick={copy}>
      {copied ? "Copied" : "Copy JSON"}
    </button>
  );
}
