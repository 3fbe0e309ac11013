// What one connection is asked for while those who want something of it come and go: more at once, less only after a
// while, because pages often want again what they have just let go.

import type { Connection, ConnectionState, Interest } from "../connection.js";
import type { Environment } from "../environment.js";
import { RowcastError, toRowcastError } from "../errors.js";
import { includes, union } from "../interest.js";
import type { EventType } from "../protocol.js";

/** Milliseconds for which the stream still brings what nobody wants any more. */
const GIVE_UP = 10_000;

/** The server refuses a whole list for one type that does not exist, or that the user may not see. */
const TYPE_REFUSALS: ReadonlySet<string | undefined> = new Set(["permission_required", "unknown_event_type"]);

export interface DemandHandlers {
  /** Something is asked for: these types more, from `since` on; null when it takes another stream. */
  onAsk(added: readonly EventType[] | null, since: string | undefined): void;
  /** What was asked for last is in force. */
  onSettled(): void;
  /** It was refused; nothing has changed. */
  onRefused(error: RowcastError): void;
}

export class Demand {
  /** What was asked for last; it may not be in force yet. */
  asked: Interest;
  #inForce: Interest | null = null;
  #needed: Interest;
  #refusal: RowcastError | null = null;
  /**
   * A list was refused, so everything that the user may see is asked for instead: one wish must not take the stream from
   * all others, and what is granted later comes by itself.
   */
  #everything = false;
  #timer: unknown;
  #closed = false;
  readonly #want: Connection["want"];
  readonly #environment: Environment;
  readonly #handlers: DemandHandlers;

  /** Of a connection that is opened for `asked`. */
  constructor(asked: Interest, want: Connection["want"], environment: Environment, handlers: DemandHandlers) {
    this.asked = asked;
    this.#needed = asked;
    this.#want = want;
    this.#environment = environment;
    this.#handlers = handlers;
  }

  /** Whether the stream has it now. */
  has(interest: Interest): boolean {
    return this.#inForce !== null && includes(this.#inForce, interest);
  }

  /**
   * The types that have to be added to the open stream for this; null if only another stream can have it, which is so
   * for another organization, and for all types where there was a list.
   */
  missing({ subscriptions: types, organizationId }: Interest): readonly EventType[] | null {
    const { subscriptions: asked, organizationId: scope } = this.asked;
    if (scope !== undefined && scope !== organizationId) return null;
    if (!asked) return [];
    return types ? types.filter((type) => !asked.includes(type)) : null;
  }

  /** Sees to it that the stream has all of this, and in the end no more; what is added begins at `since`. */
  need(needed: Interest, since?: string): void {
    this.#needed = needed;
    if (!this.#everything) this.#refusal = null;
    if (includes(this.asked, needed)) this.#giveUpLater();
    else if (this.#everything) this.#ask({ organizationId: needed.organizationId });
    else if (this.missing(needed)) this.#ask(union([this.asked, needed]), since);
    else this.#ask(needed);
  }

  /** After a refusal: whether there is another way, which it takes. */
  makeDo(error: RowcastError): boolean {
    this.#refusal = error;
    if (this.#closed || this.#everything || !this.#needed.subscriptions || !TYPE_REFUSALS.has(error.code))
      return false;
    this.#everything = true;
    this.#ask({ organizationId: this.#needed.organizationId });
    return true;
  }

  /** What the connection says of itself. */
  follow({ status, error }: ConnectionState): void {
    if (status === "connected" && this.#inForce === null) this.#settle(this.asked);
    // Not at once: it has yet to finish what it is doing.
    if (status === "error" && error && TYPE_REFUSALS.has(error.code))
      queueMicrotask(() => this.makeDo(error));
  }

  /** Why somebody who wants this is told nothing, though the stream is open. */
  refusal(interest: Interest, { subscriptions, organizations }: ConnectionState): RowcastError | null {
    if (!this.has(interest)) return this.#refusal;
    const { subscriptions: types, organizationId } = interest;
    if (this.#everything && types && !types.some((type) => subscriptions.includes(type)))
      return this.#refusal;
    if (organizationId === undefined || organizations === null || organizations.includes(organizationId))
      return null;
    return new RowcastError("forbidden", "this user is not a member of that organization", {
      code: "not_a_member",
    });
  }

  close(): void {
    this.#closed = true;
    this.#environment.clearTimeout(this.#timer);
  }

  #ask(interest: Interest, since?: string): void {
    const before = this.asked;
    this.#environment.clearTimeout(this.#timer);
    this.#handlers.onAsk(this.missing(interest), since);
    this.asked = interest;
    this.#want(interest, { since }).then(
      () => this.#settle(interest),
      (thrown) => {
        if (this.asked !== interest) return;
        this.asked = before;
        this.#handlers.onRefused(toRowcastError(thrown));
      },
    );
  }

  #settle(interest: Interest): void {
    this.#inForce = interest;
    if (this.asked !== interest) return;
    this.#handlers.onSettled();
    this.#giveUpLater();
  }

  #giveUpLater(): void {
    this.#environment.clearTimeout(this.#timer);
    if (this.#closed || this.#everything || includes(this.#needed, this.asked)) return;
    this.#timer = this.#environment.setTimeout(() => this.#ask(this.#needed), GIVE_UP);
  }
}
