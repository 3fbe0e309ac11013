// One tab of those that share a stream: hears facts and hands out what its app wants, and is the one that tells them
// while it has the leader's seat. To its app it is a connection like any other.

import type {
  Connect,
  Connection,
  ConnectionHandlers,
  ConnectionState,
  ConnectOptions,
  Interest,
  WantOptions,
} from "../connection.js";
import { initialState } from "../connection.js";
import type { Environment } from "../environment.js";
import type { RowcastError } from "../errors.js";
import { shield } from "../inbox.js";
import { faultOf, includes, union } from "../interest.js";
import { load } from "../load.js";
import { Keeper } from "../storage.js";
import type { Channel, TabsEnvironment } from "./environment.js";
import { Feed } from "./feed.js";
import { Leader } from "./leader.js";
import { fromTrouble, type Message, toTrouble } from "./news.js";
import type { AskPage } from "./page.js";
import { Seat } from "./seat.js";
import { Vigil } from "./vigil.js";

/** Milliseconds after which what is not covered yet is asked for again: a message may have been lost. */
const MAX_UNCOVERED = 10_000;

type News = Extract<Message, { kind: "news" }>;

/** A change of what this tab wants, on its way. */
interface Want {
  readonly interest: Interest;
  readonly since: string | undefined;
  resolve(): void;
  reject(error: RowcastError): void;
}

/** What the tabs have in common. */
export interface Shared {
  /** Of the lock and the channel. */
  readonly name: string;
  readonly url: string;
  readonly connect: Connect;
  readonly tabs: TabsEnvironment;
}

export class Tab implements Connection {
  state: ConnectionState;
  readonly #shared: Shared;
  readonly #options: ConnectOptions;
  readonly #handlers: Required<ConnectionHandlers>;
  readonly #environment: Environment;
  readonly #id: string;
  readonly #feed: Feed;
  readonly #keeper: Keeper;
  readonly #seat: Seat;
  #wants: Want[] = [];
  #channel: Channel | undefined;
  #presence: Seat | undefined;
  #vigil: Vigil | undefined;
  #stopListening = (): void => {};
  #leader: Leader | undefined;
  #news: News | undefined;
  /** To whom it has said last what it wants, and when. */
  #told: string | undefined;
  #toldAt = 0;
  /** Why it takes no part, until it is asked to try again. */
  #failure: RowcastError | null = null;
  #hasConnected = false;

  constructor(
    options: ConnectOptions,
    handlers: ConnectionHandlers,
    environment: Environment,
    shared: Shared,
  ) {
    const { subscriptions, organizationId, lastEventId, storage, token } = options;
    const { tabs, name, url } = shared;
    const keeper = new Keeper(storage, environment);
    const kept = keeper.read();
    const cursor = lastEventId ?? kept;
    this.#keeper = keeper;
    this.#options = options;
    this.#handlers = shield(handlers, environment);
    this.#environment = environment;
    this.#shared = shared;
    this.#id = tabs.newId();
    this.state = { ...initialState, cursor, role: "follower" };
    let ask: AskPage | undefined;
    this.#feed = new Feed(
      { cursor, interest: { subscriptions, organizationId } },
      {
        ...this.#handlers,
        onChange: () => this.#show(),
      },
      async (...what) => {
        ask ??= (await load(import("./page.js"))).pagesOf(url, token, environment);
        return ask(...what);
      },
      environment,
    );
    this.#seat = new Seat(
      tabs.locks,
      name,
      () => this.#lead(),
      () => this.#stepDown(),
    );
  }

  reconnect(): void {
    this.#failure = null;
    if (!this.#channel) {
      this.#join();
      return;
    }
    // Whoever asks for it when told of the failure is not told of that again.
    if (this.#news?.state.status === "error") {
      const state = { ...this.#news.state, status: "reconnecting", error: null, attempt: 0 } as const;
      this.#news = { ...this.#news, state };
    }
    this.#seat.stand();
    this.#feed.retry();
    this.#watch();
    this.#post({ kind: "again" });
    this.#sayHello();
    this.#show();
  }

  close(): void {
    this.#stopListening();
    this.#part();
    this.#keeper.stop();
    this.#set({
      ...this.state,
      status: "disconnected",
      error: null,
      attempt: 0,
      retryAt: null,
      connectionId: null,
    });
  }

  want(interest: Interest, { since }: WantOptions = {}): Promise<void> {
    const fault = faultOf(interest, since);
    if (fault) return Promise.reject(fault);
    return new Promise((resolve, reject) => {
      this.#wants.push({ interest: union([interest]), since, resolve, reject });
      // What was refused was not this.
      if (this.#failure?.kind === "forbidden" || this.#failure?.kind === "refused") this.reconnect();
      else this.#sayHello();
    });
  }

  get #wanted(): Interest {
    return this.#wants.at(-1)?.interest ?? this.#feed.interest;
  }

  #join(): void {
    const { tabs, name } = this.#shared;
    this.#news = this.#told = undefined;
    this.#channel = tabs.channel(name, (message) => this.#hear(message));
    this.#stopListening();
    const stopSuspending = tabs.onSuspend(
      () => this.#part(),
      () => this.#channel || this.#failure || this.#join(),
    );
    const stopWaking = this.#environment.onWake(() => this.#wake());
    this.#stopListening = () => {
      stopSuspending();
      stopWaking();
    };
    this.#presence = new Seat(
      tabs.locks,
      presence(name, this.#id),
      () => {},
      () => {},
    );
    this.#presence.stand();
    this.#watch();
    this.#sayHello();
    this.#seat.stand();
    this.#show();
  }

  /** Somebody looks at this page, and not at the leader's, which may have given up. */
  #wake(): void {
    const hasGivenUp = this.#news?.state.status === "error" && !this.#failure;
    if (hasGivenUp && this.#shared.tabs.isVisible()) this.#post({ kind: "again" });
  }

  #watch(): void {
    this.#vigil?.stop();
    this.#vigil = new Vigil(
      this.#environment,
      this.#shared.tabs.isVisible,
      () => this.#sayHello(),
      () => this.#seat.steal(),
    );
  }

  /** Leaves the others, with all that they would wait for. */
  #part(): void {
    if (!this.#channel) return;
    this.#resign();
    this.#feed.stop();
    this.#vigil?.stop();
    this.#post({ kind: "bye", tab: this.#id });
    this.#presence?.leave();
    this.#channel.close();
    this.#channel = undefined;
  }

  #sayHello(): void {
    this.#post({ kind: "hello", tab: this.#id, interest: this.#wanted });
  }

  /** To all tabs, this one included. */
  #post(message: Message): void {
    this.#channel?.post(message);
    this.#hear(message);
  }

  #hear(message: Message): void {
    switch (message.kind) {
      case "news":
        if (!this.#leader || message.leader === this.#id) this.#learn(message);
        break;
      case "hello":
        this.#leader?.hello(message.tab, message.interest);
        break;
      case "bye":
        this.#leader?.bye(message.tab);
        break;
      case "refused":
        if (message.tab === this.#id) this.#refused(message.interest, fromTrouble(message.error));
        break;
      case "again":
        this.#leader?.reconnect();
        break;
      case "stopped":
        this.#fail(fromTrouble(message.error));
        break;
    }
  }

  #learn(news: News): void {
    const { fact, leader, state } = news;
    if (this.#failure) {
      // The token of somebody else is good: the stream may be this tab's again one day. Any other refusal stands.
      if (this.#failure.kind !== "unauthorized" || state.status !== "connected") return;
      this.#failure = null;
      this.#watch();
      this.#seat.stand();
    }
    this.#vigil?.touch();
    this.#news = news;
    if (state.status === "connected") this.#settle(fact.covers);
    if (includes(fact.covers, this.#feed.interest)) this.#feed.take(fact);
    const told = `${leader} ${JSON.stringify([fact.covers, this.#wanted])}`;
    const waited = this.#environment.now() - this.#toldAt;
    if (this.#told !== told || (waited > MAX_UNCOVERED && !includes(fact.covers, this.#wanted))) {
      this.#told = told;
      this.#toldAt = this.#environment.now();
      if (leader !== this.#id) this.#sayHello();
    }
    this.#show();
  }

  /** What was wanted and is covered is in force. */
  #settle(covers: Interest): void {
    const index = this.#wants.findLastIndex(({ interest }) => includes(covers, interest));
    for (const want of this.#wants.splice(0, index + 1)) {
      const { interest: had } = this.#feed;
      this.#feed.interest = want.interest;
      const types = want.interest.subscriptions?.filter((type) => !had.subscriptions?.includes(type));
      const isMore = !includes(had, want.interest);
      if (want.since !== undefined && isMore) {
        const isElsewhere = had.organizationId !== want.interest.organizationId;
        const added = isElsewhere || !types ? want.interest : { ...want.interest, subscriptions: types };
        this.#feed.replay(added, want.since);
      }
      want.resolve();
    }
  }

  #refused(interest: Interest, error: RowcastError): void {
    const text = JSON.stringify(interest);
    const refused = this.#wants.filter((want) => JSON.stringify(want.interest) === text);
    this.#wants = this.#wants.filter((want) => !refused.includes(want));
    for (const want of refused) want.reject(error);
    if (refused.length > 0) this.#sayHello();
    else this.#fail(error);
  }

  #lead(): void {
    const { tabs, name, connect } = this.#shared;
    const covers = this.#news?.fact.covers ?? this.#feed.interest;
    const life = this.#news?.fact.life ?? this.#feed.life ?? tabs.newId();
    // The stream begins at this tab's own cursor, so the server is about to judge that.
    if (this.#feed.caughtUp) this.#feed.life = life;
    this.#leader = new Leader(
      {
        tab: this.#id,
        interest: this.#wanted,
        start: { interest: covers, cursor: this.#feed.cursor, life },
        reconnects: this.#news?.state.reconnects ?? 0,
        options: this.#options,
        connect,
      },
      {
        onNews: (fact, { error, cursor: _, role: __, ...state }) =>
          this.#post({
            kind: "news",
            leader: this.#id,
            fact,
            state: { ...state, error: error && toTrouble(error) },
          }),
        onRefused: (tab, interest, error) =>
          this.#post({ kind: "refused", tab, interest, error: toTrouble(error) }),
        onEnd: (error) => {
          if (error.kind === "disconnected") this.#post({ kind: "stopped", error: toTrouble(error) });
          else this.#fail(error);
        },
        present: async () => {
          const { held = [] } = await tabs.locks.query();
          const mark = presence(name, "");
          return new Set(
            held.flatMap(({ name: lock = "" }) => (lock.startsWith(mark) ? [lock.slice(mark.length)] : [])),
          );
        },
        newLife: tabs.newId,
      },
      this.#environment,
    );
    this.#sayHello();
  }

  /** The seat was stolen: this page must have been away for long. */
  #stepDown(): void {
    this.#leader?.close();
    this.#leader = undefined;
    if (!this.#channel) return;
    this.#seat.stand();
    this.#sayHello();
  }

  #resign(): void {
    this.#leader?.close();
    this.#leader = undefined;
    this.#seat.leave();
  }

  #fail(error: RowcastError): void {
    this.#failure = error;
    this.#vigil?.stop();
    this.#resign();
    for (const { reject } of this.#wants.splice(0)) reject(error);
    this.#show();
  }

  #show(): void {
    if (!this.#channel) return;
    const error = this.#failure ?? this.#feed.error;
    const role = this.#leader ? "leader" : "follower";
    const { cursor } = this.#feed;
    const told = this.#news && {
      ...this.#news.state,
      error: this.#news.state.error && fromTrouble(this.#news.state.error),
    };
    const again = this.#hasConnected ? "reconnecting" : "connecting";
    const state = { ...(told ?? { ...this.state, status: again, error: null }), cursor, role } as const;
    if (error) {
      this.#set({ ...state, status: "error", error, retryAt: null, connectionId: null });
      return;
    }
    const covered = this.#news !== undefined && includes(this.#news.fact.covers, this.#feed.interest);
    const isLive = state.status === "connected" && covered && this.#feed.caughtUp;
    this.#hasConnected ||= isLive;
    this.#set(state.status === "connected" && !isLive ? { ...state, status: again } : state);
  }

  #set(state: ConnectionState): void {
    this.state = state;
    this.#keeper.keep(state.cursor);
    this.#handlers.onState(state);
  }
}

/** The name of the lock by which a tab is known to be there. */
function presence(name: string, tab: string): string {
  return `${name} tab ${tab}`;
}
