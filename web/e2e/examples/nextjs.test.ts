import { expect, it } from "vitest";
import { setScene } from "./scene.js";

const scene = setScene("nextjs", async (example, port, { demo, database }) => {
  const env = {
    NEXT_TELEMETRY_DISABLED: "1",
    DATABASE_URL: database.url,
    ROWCAST_JWT_SECRET: demo.secret,
    ROWCAST_URL: demo.url,
  };
  await example.build(env);
  await example.serve("start", ["--hostname", "localhost", "--port", String(port)], env);
});

const insert = (filename: string) =>
  scene.database.query(
    `INSERT INTO chatbot.documents (organization_id, filename, size_bytes, processing_status, progress)
     VALUES ('org_alder', $1, 1000, 'embedding', 70)`,
    [filename],
  );

it("renders rows on the server, and streams from where they end", async () => {
  await insert("loaded.pdf");
  const html = await (await fetch(scene.origin)).text();
  expect(html).toContain("loaded.pdf");

  const page = await scene.open("/");
  await page.getByText("Connected", { exact: true }).waitFor();
  await insert("streamed.pdf");
  await page.getByText("streamed.pdf: embedding, 70 %").waitFor();
  expect(await page.getByText("loaded.pdf: embedding, 70 %").count()).toBe(1);
});

it("misses nothing between loading and streaming", async () => {
  // The stream opens with the token; what is written before it does is not in the rows, and must come.
  let asked = 0;
  const page = await scene.open("/", (page) =>
    page.route("**/api/token", async (route) => {
      asked += 1;
      await insert(`between-${asked}.pdf`);
      await route.continue();
    }),
  );
  await page.getByText("between-1.pdf: embedding, 70 %").waitFor();
});

it("announces an upload from a server action", async () => {
  const page = await scene.open("/");
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.getByLabel("File name").fill("announced.pdf");
  await page.getByRole("button", { name: "Announce an upload" }).click();
  await page.getByText("announced.pdf: upload, 0 %").waitFor();
  const rows = await scene.database.query("SELECT FROM chatbot.documents WHERE filename = 'announced.pdf'");
  expect(rows).toEqual([]);
});
