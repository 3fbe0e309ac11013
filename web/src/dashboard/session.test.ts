import { expect, it } from "vitest";
import { userOf } from "./session.js";

const token = (claims: unknown): string => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;

it("reads the user out of a token", () => {
  expect(userOf(token({ sub: "user_ädä?>" }))).toBe("user_ädä?>");
});

it.each(["", "x", "x.y.z", token(null), token({}), token({ sub: 7 })])(
  "is content without one: %j",
  (text) => {
    expect(userOf(text)).toBeNull();
  },
);
