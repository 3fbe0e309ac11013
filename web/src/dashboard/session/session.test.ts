// @vitest-environment happy-dom

import { beforeEach, expect, it } from "vitest";
import { Session } from "./session.js";

const token = (user: string, mark = ""): string =>
  `x.${Buffer.from(JSON.stringify({ sub: user })).toString("base64url")}.${mark}`;

const FIRST = { refused: null, expiring: false };
const EXPIRING = { refused: null, expiring: true };

beforeEach(() => {
  sessionStorage.clear();
  history.replaceState(null, "", "/");
});

it.each([
  ["#token=a.b.c", ""],
  ["#/admin?organization=o1&token=a.b.c", "#/admin?organization=o1"],
  ["#/?token=a.b.c", "#/"],
])("takes the token out of the address, and leaves the rest: %s", (fragment, left) => {
  history.replaceState(null, "", fragment);
  expect(new Session().token()).toBe("a.b.c");
  expect(location.hash).toBe(left);
  expect(new Session().token()).toBe("a.b.c");
});

it("is signed out without one, and forgets on request", () => {
  const session = new Session();
  expect(session.token()).toBeNull();
  session.signIn("a.b.c");
  session.forget();
  expect(new Session().token()).toBeNull();
});

it("does not offer again what was refused", () => {
  const session = new Session();
  session.signIn("first");
  expect(session.source(FIRST)).toBe("first");
  expect(session.source({ refused: "first", expiring: false })).toBeNull();
  session.signIn("second");
  expect(session.source({ refused: "first", expiring: false })).toBe("second");
});

it("waits for a new token while the one in use expires", async () => {
  const session = new Session();
  session.signIn("first");
  session.source(FIRST);
  const next = session.source(EXPIRING);
  session.signIn("second");
  expect(await next).toBe("second");
});

it("has the new token at hand when it was brought before it was asked for", () => {
  const session = new Session();
  session.signIn("first");
  session.source(FIRST);
  session.signIn("second");
  expect(session.source(EXPIRING)).toBe("second");
});

it("signs the same user out in all tabs, and nobody else", async () => {
  const [here, there, other] = [new Session(), new Session(), new Session()];
  here.signIn(token("ann"));
  there.signIn(token("ann", "another token"));
  other.signIn(token("ben"));
  const signedOut = new Promise<void>((resolve) => {
    there.subscribe(resolve);
  });
  here.signOut();
  await signedOut;
  expect(there.token()).toBeNull();
  expect(here.token()).toBeNull();
  expect(other.token()).toBe(token("ben"));
});
