// `@rowcast/client`: the stream without a framework.

export { connect } from "./connect.js";
export type * from "./connection.js";
export { type Cursor, contains, parseCursor } from "./cursor.js";
export type { Environment, MessageSource } from "./environment.js";
export { type ErrorKind, RowcastError } from "./errors.js";
export { Fold } from "./fold.js";
export { nextFrame, type Schedule } from "./frame.js";
export { createHub, type Hub, type HubOptions, type Seat, type SeatOptions } from "./hub/hub.js";
export type { Consumer } from "./hub/place.js";
export { type SseMessage, SseParser } from "./parse.js";
export type * from "./protocol.js";
export { sessionCursor } from "./storage.js";
export {
  createStore,
  type Snapshot,
  type Store,
  type StoreOptions,
  type StreamStats,
} from "./store.js";
