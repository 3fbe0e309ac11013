// @vitest-environment happy-dom

import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventOf, Operation } from "../protocol.js";
import { RowcastProvider } from "../react/index.js";
import { connectedFrame, FakeServer, statusFrame } from "../testing/server.js";
import { applyEvent, type QueryRows, useQueryEvents } from "./index.js";

vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);

interface Document {
  id: number;
  filename: string;
  note?: string;
}

const rows: QueryRows<"document_processing", Document> = {
  list: ["documents", "list"],
  detail: (key) => ["documents", "one", key],
  root: ["documents"],
  keyOf: ({ id }) => `${id}`,
  rowOf: ({ data }, before) => ({ ...before, id: Number(data.documentId), filename: data.filename }),
};

const data = (key: string, filename: string) => ({
  documentId: key,
  filename,
  stage: "ocr" as const,
  progress: 0,
  status: "processing" as const,
});

function event(
  id: number,
  operation: Operation,
  key?: string,
  filename = "",
): EventOf<"document_processing"> {
  return {
    id: `${id}`,
    type: "document_processing",
    timestamp: "2026-11-23T09:00:00.000Z",
    priority: "low",
    operation,
    ...(key === undefined ? {} : { key }),
    data: data(key ?? "", filename),
  };
}

let client: QueryClient;

beforeEach(() => {
  client = new QueryClient();
});

describe("applyEvent", () => {
  const list = ["documents", "list"];
  const names = () => client.getQueryData<Document[]>(list)?.map(({ filename }) => filename);

  it("inserts, updates and deletes rows of a list by their key", () => {
    client.setQueryData<Document[]>(list, [{ id: 1, filename: "a", note: "kept" }]);
    applyEvent(client, event(5, "INSERT", "2", "b"), rows);
    applyEvent(client, event(6, "UPDATE", "1", "a2"), rows);
    expect(client.getQueryData(list)).toEqual([
      { id: 1, filename: "a2", note: "kept" },
      { id: 2, filename: "b" },
    ]);
    applyEvent(client, event(7, "DELETE", "1"), rows);
    expect(names()).toEqual(["b"]);
    applyEvent(client, event(8, "INSERT", "3", "c"), { ...rows, insert: "first" });
    expect(names()).toEqual(["c", "b"]);
    applyEvent(client, event(9, "UPDATE", "3", "d"), {
      ...rows,
      belongs: ({ filename }) => filename !== "d",
    });
    expect(names()).toEqual(["b"]);
  });

  it("leaves out what the list was read with, gaps excepted", () => {
    client.setQueryData(list, { cursor: "10~8", rows: [{ id: 1, filename: "new" }], total: 1 });
    applyEvent(client, event(9, "UPDATE", "1", "old"), rows);
    expect(client.getQueryData(list)).toEqual({
      cursor: "10~8",
      rows: [{ id: 1, filename: "new" }],
      total: 1,
    });
    applyEvent(client, event(8, "INSERT", "2", "late"), rows);
    applyEvent(client, event(11, "UPDATE", "1", "newer"), rows);
    expect(client.getQueryData(list)).toMatchObject({
      rows: [{ filename: "newer" }, { filename: "late" }],
      total: 1,
    });
  });

  it("changes one row where it is in the cache, and has it asked for again when it is gone", () => {
    client.setQueryData(["documents", "one", "1"], { id: 1, filename: "a", note: "kept" });
    applyEvent(client, event(5, "UPDATE", "1", "b"), rows);
    applyEvent(client, event(6, "UPDATE", "2", "b"), rows);
    expect(client.getQueryData(["documents", "one", "1"])).toEqual({ id: 1, filename: "b", note: "kept" });
    expect(client.getQueryData(["documents", "one", "2"])).toBeUndefined();
    expect(client.getQueryData(list)).toBeUndefined();
    applyEvent(client, event(7, "DELETE", "1"), rows);
    expect(client.getQueryState(["documents", "one", "1"])?.isInvalidated).toBe(true);
  });

  it("knows nothing of a row without a key, and asks again for everything after TRUNCATE", () => {
    const before = [{ id: 1, filename: "a" }];
    client.setQueryData(list, before);
    applyEvent(client, event(5, "EMIT"), rows);
    expect(client.getQueryData(list)).toBe(before);
    expect(client.getQueryState(list)?.isInvalidated).toBe(false);
    applyEvent(client, event(6, "TRUNCATE"), rows);
    expect(client.getQueryState(list)?.isInvalidated).toBe(true);
  });

  it("leaves alone what is no list", () => {
    client.setQueryData(list, { pages: [] });
    applyEvent(client, event(5, "INSERT", "1", "a"), rows);
    expect(client.getQueryData(list)).toEqual({ pages: [] });
  });
});

describe("useQueryEvents", () => {
  let server: FakeServer;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    vi.stubGlobal("fetch", server.environment.fetch);
  });
  afterEach(() => vi.useRealTimers());

  const settle = () => act(() => vi.advanceTimersByTimeAsync(50));
  const frame = (sent: EventOf<"document_processing">) =>
    `id: ${sent.id}\nevent: ${sent.type}\ndata: ${JSON.stringify(sent)}\n\n`;

  it("loads, then streams, and loads again when events were missed", async () => {
    let loaded = { cursor: "5", rows: [{ id: 1, filename: "a" }] };
    const load = vi.fn(async () => loaded);
    function Documents() {
      const { data: list } = useQuery({
        queryKey: ["documents", "list"],
        queryFn: load,
        staleTime: Infinity,
      });
      useQueryEvents(client, { ...rows, subscriptions: ["document_processing"], since: list?.cursor });
      return list?.rows.map(({ filename }) => filename).join() ?? "loading";
    }
    const container = document.createElement("div");
    const root = createRoot(container);
    act(() =>
      root.render(
        <StrictMode>
          <QueryClientProvider client={client}>
            <RowcastProvider token={() => "t1"} tabs={false}>
              <Documents />
            </RowcastProvider>
          </QueryClientProvider>
        </StrictMode>,
      ),
    );
    await settle();
    expect(container.textContent).toBe("a");
    // The stream had nothing yet, so it begins where the list ends.
    expect(server.last.headers.get("last-event-id")).toBe("5");
    await act(() => server.last.stream(connectedFrame("5") + frame(event(6, "INSERT", "2", "b"))));
    await settle();
    expect(container.textContent).toBe("a,b");
    expect(load).toHaveBeenCalledTimes(1);

    // 17 is in what is read now; 18 came while it was read, and was put into the list that is thrown away.
    loaded = { cursor: "17", rows: [{ id: 1, filename: "read" }] };
    await act(() => server.last.send(statusFrame({ status: "reset", reason: "history_expired" }, "16")));
    await act(() =>
      server.last.send(
        frame(event(17, "INSERT", "3", "in it")) + frame(event(18, "INSERT", "4", "after it")),
      ),
    );
    await settle();
    expect(load).toHaveBeenCalledTimes(2);
    expect(container.textContent).toBe("read,after it");
    act(() => root.unmount());
    await settle();
    expect(server.exchanges.filter(({ aborted }) => !aborted)).toEqual([]);
  });
});
