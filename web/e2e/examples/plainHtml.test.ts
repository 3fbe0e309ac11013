import { expect, it } from "vitest";
import { setScene } from "./scene.js";

const scene = setScene("plain-html", (example, port) => example.serve("start", [], { PORT: String(port) }));

const path = (page: string) => `/${page}?rowcast=${scene.demo.url}#token=${scene.demo.tokens[1]}`;

/** A document that the demo's own app has nothing to do with. */
const upload = (filename: string) =>
  scene.database.query(
    `INSERT INTO chatbot.documents (organization_id, filename, size_bytes, processing_status, progress)
     VALUES ('org_alder', $1, 1000, 'chunking', 50)`,
    [filename],
  );

it.each(["index.html", "eventsource.html"])("%s shows documents as they are uploaded", async (name) => {
  const page = await scene.open(path(name));
  await page.locator("#status").getByText("connected", { exact: true }).waitFor();
  await upload(`${name}.pdf`);
  await page.getByText(`${name}.pdf: chunking, 50 %`).waitFor();
  await scene.database.query("DELETE FROM chatbot.documents WHERE filename = $1", [`${name}.pdf`]);
  await page.getByText(`${name}.pdf: chunking, 50 %`).waitFor({ state: "detached" });
});

it("goes on after a reload where it was", async () => {
  const page = await scene.open(path("index.html"));
  await page.locator("#status").getByText("connected", { exact: true }).waitFor();
  await upload("before.pdf");
  await page.getByText("before.pdf").waitFor();
  await page.goto("about:blank");
  await upload("meanwhile.pdf");
  await page.goto(scene.origin + path("index.html"));
  await page.getByText("meanwhile.pdf: chunking, 50 %").waitFor();
  expect(await page.getByText("before.pdf").count()).toBe(0);
});
