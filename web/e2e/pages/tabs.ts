// A tab that shares its stream; what comes is put where tests look for it.

import { connectTabs, type TabsOptions } from "../../src/tabs/index.js";
import type { Watched } from "./core.js";

declare global {
  interface Window {
    watchTab(options: TabsOptions): void;
    tab: Watched;
  }
}

window.watchTab = (options) => {
  const tab: Omit<Watched, "connection"> = { events: [], resets: [], states: [] };
  const connection = connectTabs(options, {
    onEvent: (event) => tab.events.push(event),
    onState: (state) => tab.states.push(state),
    onReset: (reason) => tab.resets.push(reason),
  });
  window.tab = { ...tab, connection };
};
