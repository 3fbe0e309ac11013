import { expect, it } from "vitest";
import { claimsOf, tokenIn } from "./token.js";

const token = (claims: unknown): string => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;

it.each([
  [" x.y.z ", "x.y.z"],
  ["x.y\n  .z\n", "x.y.z"],
  ["Bearer x.y.z", "x.y.z"],
  ["Authorization: Bearer x.y.z", "x.y.z"],
  ['"x.y.z"', "x.y.z"],
  ["http://127.0.0.1:8080/#token=x.y.z", "x.y.z"],
  ["#token=x.y.z ", "x.y.z"],
  ["#/admin?organization=o1&token=x.y.z", "x.y.z"],
  ["https://app.example/done#access_token=x.y.z&token_type=bearer", "x.y.z"],
  ['{"access_token": "x.y.z", "expires_in": 600}', "x.y.z"],
  ['{"accessToken": "x.y.z"}', "x.y.z"],
  ["opaque", "opaque"],
  ["http://127.0.0.1:8080/#elsewhere", null],
  ["#/admin?organization=o1", null],
  ['{"token": 7}', null],
  ["{broken", null],
  ["Bearer ", null],
  ["  ", null],
])("takes a token out of what was pasted: %j", (text, found) => {
  expect(tokenIn(text)).toBe(found);
});

it("reads the user and the end out of a token", () => {
  expect(claimsOf(token({ sub: "user_ädä?>", exp: 1_700_000_000 }))).toEqual({
    user: "user_ädä?>",
    expiresAt: 1_700_000_000_000,
  });
});

it.each(["", "x", "x.y.z", token(null), token({}), token({ sub: 7, exp: "soon" })])(
  "is content without them: %j",
  (text) => {
    expect(claimsOf(text)).toEqual({ user: null, expiresAt: null });
  },
);
