// An issuer of tokens to try rowcast with: makes a key, publishes it, and signs tokens for whoever asks. For development alone: it asks nobody who they are.
//
//   node examples/issuer.mjs
//
// GET /.well-known/jwks.json   the keys
// GET /token?user=ann          a token of this user, good for an hour
// POST /rotate                 a new key; the old one is published up to the next time

import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

const PORT = 8090;
const ISSUER = `http://127.0.0.1:${PORT}`;
const AUDIENCE = "rowcast-example";

const newKey = () => ({ kid: randomUUID(), ...generateKeyPairSync("ec", { namedCurve: "P-256" }) });
let keys = [newKey()];

const published = ({ kid, publicKey }) => ({ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" });

function token(user) {
  const [{ kid, privateKey }] = keys;
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const signed = `${part({ alg: "ES256", kid })}.${part({ iss: ISSUER, aud: AUDIENCE, sub: user, exp })}`;
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, ISSUER);
  if (pathname === "/.well-known/jwks.json") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ keys: keys.map(published) }));
  } else if (pathname === "/token" && searchParams.get("user")) {
    response.end(`${token(searchParams.get("user"))}\n`);
  } else if (pathname === "/rotate" && request.method === "POST") {
    keys = [newKey(), keys[0]];
    response.end("a new key signs from now on\n");
  } else {
    response.statusCode = 404;
    response.end();
  }
}).listen(PORT, "127.0.0.1", () => console.log(`publishing keys at ${ISSUER}/.well-known/jwks.json`));
