"use server";

// Announces what has no row yet, in the transaction of whatever else the action does: rolled back, nobody hears of it.

import { randomUUID } from "node:crypto";
import { DocumentProcessingSSE, transaction } from "../lib/database";
import { signedIn } from "../lib/session";

export async function announceUpload(form: FormData): Promise<void> {
  const { userId, organizationId } = await signedIn();
  const filename = form.get("filename");
  if (typeof filename !== "string" || filename === "") throw new Error("a file has a name");
  await transaction("BEGIN", async (client) => {
    // The app's own statements go here, through the same client.
    await DocumentProcessingSSE.using(client).notifyUploadStarted(randomUUID(), null, organizationId, filename, {
      userId,
    });
  });
}
