// A database client for tests of the producers: remembers what it was asked, and answers with an id.

import type { QueryClient } from "../server/client.js";

interface Call {
  sql: string;
  params: (string | null)[];
}

export class FakeClient implements QueryClient {
  readonly calls: Call[] = [];
  rows: unknown[] = [{ id: "9007199254740993" }];

  async query(sql: string, params: (string | null)[]) {
    this.calls.push({ sql, params });
    return { rows: this.rows };
  }

  /** What the only call asked for, by name. */
  get announced() {
    const [call, ...more] = this.calls;
    if (!call || more.length > 0) throw new Error(`${this.calls.length} statements were run, not one`);
    const [type, organizationId, data, priority, userId, chatbotId, sessionId] = call.params;
    return { type, organizationId, data: JSON.parse(data ?? ""), priority, userId, chatbotId, sessionId };
  }
}
