import { beforeEach, expect, it } from "vitest";
import { FakeClient } from "../testing/queryClient.js";
import { emit } from "./index.js";

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
});

const activity = { type: "user_activity", organizationId: "org-1" } as const;

it("returns the id as it came, which a number could not hold", async () => {
  const id = await emit(client, { ...activity, data: { userId: "user-1", action: "login" } });
  expect(id).toBe("9007199254740993");
  expect(client.announced).toMatchObject({ type: "user_activity", priority: "medium" });
});

it("needs null to be said for the whole platform", async () => {
  const data = { userId: "user-1", action: "login" };
  const organizationId: unknown = undefined;
  const forgotten = { type: "user_activity", organizationId: organizationId as string, data } as const;
  await expect(emit(client, forgotten)).rejects.toThrow("organizationId must be");
  expect(client.calls).toEqual([]);
  await emit(client, { ...forgotten, organizationId: null });
  expect(client.announced.organizationId).toBeNull();
});

it("refuses an unknown priority", async () => {
  const priority = JSON.parse('"urgent"');
  await expect(
    emit(client, { ...activity, priority, data: { userId: "u", action: "login" } }),
  ).rejects.toThrow("priority must be one of low, medium, high, critical");
});

it("replaces what jsonb cannot hold, and leaves what only looks like it", async () => {
  const metadata = { nul: "a\0b", half: "\ud800x", pair: "😀", spelled: "\\u0000 \\ud800", "k\0": 1 };
  await emit(client, { ...activity, data: { userId: "u", action: "login", metadata } });
  expect(client.announced.data.metadata).toEqual({
    nul: "a\ufffdb",
    half: "\ufffdx",
    pair: "😀",
    spelled: "\\u0000 \\ud800",
    "k\ufffd": 1,
  });
  expect(client.calls[0]?.params[2]).not.toMatch(/(?<!\\)\\u(0000|d8)/);
});

it("refuses what JSON would lose or cannot write", async () => {
  const self: Record<string, unknown> = {};
  self.self = self;
  const wrong: [Record<string, unknown>, string][] = [
    [{ ratio: Number.NaN }, "ratio must be a finite number"],
    [{ deep: [{ ratio: Number.POSITIVE_INFINITY }] }, "ratio must be a finite number"],
    [{ big: 1n }, "data must be JSON"],
    [self, "data must be JSON"],
  ];
  for (const [metadata, message] of wrong) {
    const data = { userId: "u", action: "login", metadata };
    await expect(emit(client, { ...activity, data })).rejects.toThrow(message);
  }
  const data: unknown = ["no", "object"];
  await expect(emit(client, { ...activity, data: data as never })).rejects.toThrow("data must be an object");
  expect(client.calls).toEqual([]);
});

it("says so when the client answers without an id", async () => {
  const data = { userId: "u", action: "login" };
  for (const rows of [[], [["42"]], [{ id: 42 }]]) {
    client.rows = rows;
    await expect(emit(client, { ...activity, data })).rejects.toThrow("give rows as objects");
  }
});
