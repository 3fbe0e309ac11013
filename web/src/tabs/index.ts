// `@rowcast/client/tabs`: one connection for all tabs.

export { connectTabs, type TabsOptions } from "./connect.js";
export type { Channel, Locks, TabsEnvironment } from "./environment.js";
