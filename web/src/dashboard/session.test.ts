import { expect, it } from "vitest";
import { tokenIn, userOf } from "./session.js";

const token = (claims: unknown): string => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;

it.each([
  [" x.y.z ", "x.y.z"],
  ["http://127.0.0.1:8080/#token=x.y.z", "x.y.z"],
  ["#token=x.y.z ", "x.y.z"],
  ["http://127.0.0.1:8080/#elsewhere", null],
  ["  ", null],
])("takes a token, or the link that holds one: %j", (text, token) => {
  expect(tokenIn(text)).toBe(token);
});

it("reads the user out of a token", () => {
  expect(userOf(token({ sub: "user_ädä?>" }))).toBe("user_ädä?>");
});

it.each(["", "x", "x.y.z", token(null), token({}), token({ sub: 7 })])(
  "is content without one: %j",
  (text) => {
    expect(userOf(text)).toBeNull();
  },
);
