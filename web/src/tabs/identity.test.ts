import { expect, it } from "vitest";
import { sharedName, subjectOf } from "./identity.js";

const token = (payload: object) => `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.sig`;

it("knows a user by issuer and subject", () => {
  expect(subjectOf(token({ iss: "https://a", sub: "u1", exp: 1 }))).toBe('["https://a","u1"]');
  expect(subjectOf(token({ sub: "u1?>~ü" }))).toBe(subjectOf(token({ sub: "u1?>~ü", exp: 9 })));
  expect(subjectOf(token({ iss: "a", sub: "u1" }))).not.toBe(subjectOf(token({ iss: "b", sub: "u1" })));
});

it("knows nobody where a token does not say", () => {
  for (const text of ["", "opaque", "a.b.c", token({ sub: 7 }), token({})])
    expect(subjectOf(text)).toBeNull();
});

it("names the endpoint, whichever page names it how", () => {
  const name = sharedName("/api/sse", "https://app.example/a/b", "u");
  expect(sharedName("https://app.example/api/sse", "https://app.example/", "u")).toBe(name);
  expect(sharedName("https://other.example/api/sse", "https://app.example/", "u")).not.toBe(name);
  expect(sharedName("/api/sse", "https://app.example/a/b", "v")).not.toBe(name);
});
