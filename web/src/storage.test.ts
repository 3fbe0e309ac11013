import { afterEach, describe, expect, it, vi } from "vitest";
import type { CursorStorage } from "./connection.js";
import { sessionCursor } from "./storage.js";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame, cursorFrame, eventFrame } from "./testing/server.js";

const client = setClient();

const storing = (left: string | null = null) => ({
  read: vi.fn<CursorStorage["read"]>(() => left),
  write: vi.fn<CursorStorage["write"]>(),
});

describe("a storage", () => {
  it("says where to go on", async () => {
    await client.open({ storage: storing("7~5") });
    expect(client.server.last.headers.get("last-event-id")).toBe("7~5");
    await client.server.last.stream(connectedFrame("7~5") + eventFrame("7") + eventFrame("5", "7"));
    expect(client.received).toEqual(["5"]);
  });

  it("counts less than what the app says", async () => {
    await client.open({ storage: storing("7"), lastEventId: "9" });
    expect(client.server.last.headers.get("last-event-id")).toBe("9");
  });

  it("is written to once a second, with the last cursor, and only when there is another", async () => {
    const storage = storing();
    await client.open({ storage });
    await client.server.last.stream(connectedFrame("10"));
    for (let id = 11; id <= 20; id += 1) await client.server.last.send(eventFrame(String(id), String(id)));
    expect(storage.write).not.toHaveBeenCalled();
    await pass(1_000);
    expect(storage.write.mock.calls).toEqual([["20"]]);
    await client.server.last.send(cursorFrame("20"));
    await pass(5_000);
    expect(storage.write).toHaveBeenCalledTimes(1);
  });

  it("is written to when the page is left, and when the connection is closed", async () => {
    const storage = storing();
    await client.open({ storage });
    await client.server.last.stream(connectedFrame("10"));
    await client.server.hide();
    expect(storage.write).toHaveBeenLastCalledWith("10");
    await client.server.last.send(cursorFrame("11"));
    client.connection.close();
    expect(storage.write).toHaveBeenLastCalledWith("11");
  });

  it("is never told what the app was not given", async () => {
    const storage = storing();
    storage.write.mockImplementation((cursor) => expect(client.received).toContain(cursor));
    await client.open({ storage, lastEventId: "10" });
    await client.server.last.stream(connectedFrame("10") + eventFrame("11"));
    await client.server.hide();
    expect(storage.write).not.toHaveBeenCalledWith("11");
    await client.server.last.send(eventFrame("12", "12"));
    await client.server.hide();
    expect(storage.write).toHaveBeenLastCalledWith("12");
  });

  it("that fails is reported, and the stream goes on", async () => {
    const fail = () => {
      throw new Error("the storage is full");
    };
    await client.open({ storage: { read: fail, write: fail } });
    await client.server.last.stream(connectedFrame("10"));
    await pass(1_000);
    expect(client.server.faults.map(String)).toEqual(Array(2).fill("Error: the storage is full"));
    expect(client.connection.state.status).toBe("connected");
  });
});

describe("the session's", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("keeps one cursor for each key", () => {
    const kept = new Map<string, string>();
    vi.stubGlobal("sessionStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    });
    sessionCursor("a").write("7");
    sessionCursor().write("8");
    expect([sessionCursor("a").read(), sessionCursor().read(), sessionCursor("b").read()]).toEqual([
      "7",
      "8",
      null,
    ]);
  });
});
