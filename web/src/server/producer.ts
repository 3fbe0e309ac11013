// What all producers are: something that announces through a client, and can be told to use another one.

import type { EventType } from "../protocol.js";
import type { QueryClient } from "./client.js";
import { type Announcement, emit } from "./emit.js";

/** Asked at each call, so that producers may be imported before a client is configured. */
export type ClientSource = () => QueryClient;

/** The parent of the five producers. */
export abstract class Producer {
  readonly #client: ClientSource;

  constructor(client: ClientSource) {
    this.#client = client;
  }

  /**
   * The same methods through this client: the transaction that the app is in. Events of a transaction that is rolled
   * back are never sent.
   */
  abstract using(client: QueryClient): Producer;

  protected emit<Type extends EventType>(announcement: Announcement<Type>): Promise<string> {
    return emit(this.#client(), announcement);
  }
}
