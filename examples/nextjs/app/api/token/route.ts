// A token for whoever is signed in here. POST, because what is got may be kept by a cache.

import { signedIn } from "../../../lib/session";
import { signToken } from "../../../lib/token";

export async function POST(): Promise<Response> {
  const { userId } = await signedIn();
  return Response.json({ token: signToken(userId) }, { headers: { "Cache-Control": "no-store" } });
}
