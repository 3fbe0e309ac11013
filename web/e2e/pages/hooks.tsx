// An app with hooks, in strict mode; tests say which of its parts are there.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import type { EventType } from "../../src/index.js";
import { RowcastProvider, useConnection, useRowcastEvents, useSSE } from "../../src/react/index.js";

export interface Part {
  readonly name: string;
  readonly types: EventType[];
  readonly since?: string;
}

export interface Hooks {
  show(url: string, token: string, parts: readonly Part[]): void;
  /** Ids that each part was called with. */
  readonly calls: Record<string, string[]>;
  readonly resets: string[];
}

declare global {
  interface Window {
    hooks: Hooks;
  }
}

const root = createRoot(document.getElementById("root") as HTMLElement);

function Caller({ name, types, since }: Part) {
  useRowcastEvents({
    subscriptions: types,
    since,
    onEvent: ({ id }) => {
      window.hooks.calls[name] = [...(window.hooks.calls[name] ?? []), id];
    },
    onReset: (reason) => window.hooks.resets.push(reason),
  });
  const { status, stats } = useSSE({ subscriptions: types, since });
  return (
    <li data-part={name}>
      {status} {stats.received}
    </li>
  );
}

function Light() {
  return <output>{useConnection().status}</output>;
}

window.hooks = {
  calls: {},
  resets: [],
  show(url, token, parts) {
    root.render(
      <StrictMode>
        <RowcastProvider url={url} token={() => token}>
          <Light />
          <ul>
            {parts.map((part) => (
              <Caller key={part.name} {...part} />
            ))}
          </ul>
        </RowcastProvider>
      </StrictMode>,
    );
  },
};
