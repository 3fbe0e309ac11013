// The tab that carries the stream for all: it covers what any of them wants. A stream that has to cover something else
// is opened beside the one that there is, from where that one is, and takes its place once it is connected. So no tab
// sees a gap, and what a tab asks for and may not have is refused to that tab alone.

import type { Connect, ConnectionState, ConnectOptions, Interest } from "../connection.js";
import type { Environment } from "../environment.js";
import type { RowcastError } from "../errors.js";
import { includes, union } from "../interest.js";
import type { Fact } from "./news.js";
import { type Start, Strand } from "./strand.js";

/** Milliseconds between two looks at who has vanished, and whether less would do. */
const SWEEP = 30_000;
/** Tabs whose wishes are kept. Those beyond have what the others want. */
const MAX_TABS = 256;

export interface LeaderOutput {
  onNews(fact: Fact, state: ConnectionState): void;
  /** The server does not give this tab what it wants. */
  onRefused(tab: string, interest: Interest, error: RowcastError): void;
  /** The stream has ended for good, for this tab's token. */
  onEnd(error: RowcastError): void;
  /** The tabs that are there. */
  present(): Promise<ReadonlySet<string>>;
  newLife(): string;
}

export interface LeaderOptions {
  readonly tab: string;
  readonly interest: Interest;
  /** What the streams of leaders before this one covered; it was granted to them. */
  readonly start: Start;
  /** Streams that were established again before. */
  readonly reconnects: number;
  readonly options: ConnectOptions;
  readonly connect: Connect;
}

/** A stream that is to take the place of the one that there is. */
interface Successor {
  readonly strand: Strand;
  /** For whose sake; absent: because less will do. */
  readonly tab: string | undefined;
}

export class Leader {
  readonly #with: LeaderOptions;
  readonly #output: LeaderOutput;
  readonly #environment: Environment;
  readonly #tabs = new Map<string, Interest>();
  #strand: Strand;
  #successor: Successor | undefined;
  #reconnects: number;
  #sweep: unknown;
  #isClosed = false;

  constructor(options: LeaderOptions, output: LeaderOutput, environment: Environment) {
    this.#with = options;
    this.#output = output;
    this.#environment = environment;
    this.#reconnects = options.reconnects;
    this.#tabs.set(options.tab, options.interest);
    const interest = union([options.start.interest, options.interest]);
    this.#strand = this.#open({ ...options.start, interest });
    this.#sweep = environment.setTimeout(() => void this.#sweepUp(), SWEEP);
  }

  /** A tab says what it wants, or only asks whether anybody is there. */
  hello(tab: string, interest: Interest): void {
    if (this.#tabs.has(tab) || this.#tabs.size < MAX_TABS) this.#tabs.set(tab, interest);
    this.#tellState();
    this.#serve();
  }

  bye(tab: string): void {
    this.#tabs.delete(tab);
  }

  /** Begins again at once, if it is not connected. */
  reconnect(): void {
    if (this.#strand.state.status !== "connected") this.#strand.reconnect();
    this.#successor?.strand.reconnect();
  }

  close(): void {
    this.#isClosed = true;
    this.#environment.clearTimeout(this.#sweep);
    this.#successor?.strand.close();
    this.#strand.close();
  }

  #open(start: Start): Strand {
    const { options, connect } = this.#with;
    const strand: Strand = new Strand(
      start,
      options,
      connect,
      this.#environment,
      this.#output.newLife,
      (fact, state) => this.#hear(strand, fact, state),
    );
    return strand;
  }

  #hear(strand: Strand, fact: Fact, state: ConnectionState): void {
    if (this.#isClosed) return;
    const end = state.status === "error" && state.error?.final ? state.error : null;
    if (strand === this.#successor?.strand) {
      if (end) this.#refuse(this.#successor, end);
      else if (state.status === "connected") this.#succeed(strand, fact);
      return;
    }
    if (strand !== this.#strand) return;
    if (end) {
      this.#end(end);
      return;
    }
    this.#tell(fact, state);
    if (state.status === "connected") this.#serve();
  }

  #tell(fact: Fact, state: ConnectionState): void {
    this.#output.onNews(fact, { ...state, reconnects: this.#reconnects + state.reconnects });
  }

  #tellState(): void {
    const { cursor, life, interest } = this.#strand.start;
    this.#tell({ from: cursor, to: cursor, events: [], life, covers: interest }, this.#strand.state);
  }

  /** Opens a stream for the first tab that wants more than there is. One at a time: so it is clear to whom it is refused. */
  #serve(): void {
    if (this.#successor || this.#isClosed || this.#strand.state.status !== "connected") return;
    for (const [tab, wanted] of this.#tabs) {
      if (includes(this.#strand.covers, wanted)) continue;
      this.#replace(union([this.#strand.covers, wanted]), tab);
      return;
    }
  }

  #replace(interest: Interest, tab?: string): void {
    const { start } = this.#strand;
    // Connected, but before the first cursor: what a stream from the head would leave out is not known.
    if (start.cursor !== "") this.#successor = { strand: this.#open({ ...start, interest }), tab };
  }

  #succeed(strand: Strand, fact: Fact): void {
    this.#reconnects += this.#strand.state.reconnects;
    this.#strand.close();
    this.#strand = strand;
    this.#successor = undefined;
    this.#tell(fact, strand.state);
    this.#serve();
  }

  #refuse({ strand, tab }: Successor, error: RowcastError): void {
    strand.close();
    this.#successor = undefined;
    const wanted = tab === undefined ? undefined : this.#tabs.get(tab);
    // A token that has run out is no answer to what was asked for: the stream itself will hear of it.
    if (tab === undefined || !wanted || error.kind === "unauthorized") return;
    this.#tabs.delete(tab);
    this.#output.onRefused(tab, wanted, error);
    this.#serve();
  }

  /** What others want may be what was refused: then it goes on with what this tab wants, and adds the others again. */
  #end(error: RowcastError): void {
    const { tab, interest } = this.#with;
    const own = this.#tabs.get(tab) ?? interest;
    const { start, covers } = this.#strand;
    const isOurs = includes(own, covers) || (error.kind !== "forbidden" && error.kind !== "refused");
    this.#strand.close();
    if (isOurs) this.#output.onEnd(error);
    else this.#strand = this.#open({ ...start, interest: union([own]) });
  }

  async #sweepUp(): Promise<void> {
    // Where the browser does not say who is there, nobody has vanished.
    const present = await this.#output.present().catch(() => null);
    if (this.#isClosed) return;
    for (const tab of present ? this.#tabs.keys() : [])
      if (tab !== this.#with.tab && !present?.has(tab)) this.#tabs.delete(tab);
    const needed = union(this.#tabs.values());
    const isConnected = this.#strand.state.status === "connected";
    if (isConnected && !this.#successor && !includes(needed, this.#strand.covers)) this.#replace(needed);
    this.#sweep = this.#environment.setTimeout(() => void this.#sweepUp(), SWEEP);
  }
}
