// `@rowcast/client`: the stream without a framework.

export { connect } from "./connect.js";
export type * from "./connection.js";
export { type Cursor, contains, parseCursor } from "./cursor.js";
export type { Environment, MessageSource } from "./environment.js";
export { type ErrorKind, RowcastError } from "./errors.js";
export { Fold, nextFrame, type Schedule } from "./fold.js";
export { type Consumer, createHub, type Hub, type Interest, type Seat } from "./hub.js";
export { type SseMessage, SseParser } from "./parse.js";
export type * from "./protocol.js";
export { sessionCursor } from "./storage.js";
export {
  createStore,
  type Snapshot,
  type Store,
  type StoreOptions,
  type StreamListener,
  type StreamStats,
} from "./store.js";
