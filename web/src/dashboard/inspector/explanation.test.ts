import { expect, it } from "vitest";
import type { Explanation as Explained } from "../../protocol.js";
import { summaryOf } from "./explanation.js";

const explained = (change: Partial<Explained>): Explained => ({
  eventId: "1",
  eventType: "error_notification",
  audience: "organization",
  organizationId: "o1",
  delivered: true,
  rules: [],
  hidden: [],
  ...change,
});

it.each([
  [{}, "You have access to o1."],
  [{ requiredPermission: "monitor" }, "You have access to o1 and hold the permission monitor there."],
  [{ audience: "platform" }, "It is for everybody on the platform."],
  [
    { audience: "platform", requiredPermission: "monitor" },
    "It is for the whole platform, and you hold the permission monitor there.",
  ],
  [{ audience: "user" }, "It is private, and you are the user it is for or hold admin in o1."],
  [{ delivered: false }, "You would not get this event now."],
] as const)("%j", (change, summary) => {
  expect(summaryOf(explained(change))).toBe(summary);
});
