// Tokens for rowcast: JWTs that are signed with the secret that rowcast knows. They say who somebody is, and until when; what that user may see
// is in the database.

import { createHmac } from "node:crypto";

/** Seconds. The client asks for a new one in time. */
const VALID_FOR = 15 * 60;

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

export function signToken(userId: string): string {
  const secret = process.env.ROWCAST_JWT_SECRET;
  if (!secret) throw new Error("ROWCAST_JWT_SECRET is not set: it is the secret that rowcast checks tokens with");
  const now = Math.floor(Date.now() / 1000);
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub: userId, iat: now, exp: now + VALID_FOR })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
