// On the server: the rows as they are, and the cursor from which the browser goes on.

import { connection } from "next/server";
import { loadDocuments } from "../lib/documents";
import { signedIn } from "../lib/session";
import { announceUpload } from "./actions";
import { Documents } from "./Documents";
import { Stream } from "./Stream";

export default async function Page() {
  // Now, for this request; never when the app is built.
  await connection();
  const { organizationId } = await signedIn();
  const { documents, cursor } = await loadDocuments(organizationId);
  return (
    <main>
      <h1>Documents</h1>
      <form action={announceUpload}>
        <label>
          File name <input name="filename" defaultValue="catalogue.pdf" required />
        </label>
        <button type="submit">Announce an upload</button>
      </form>
      <Stream url={process.env.ROWCAST_URL ?? "http://127.0.0.1:8080"} organizationId={organizationId}>
        <Documents loaded={documents} cursor={cursor} />
      </Stream>
    </main>
  );
}
