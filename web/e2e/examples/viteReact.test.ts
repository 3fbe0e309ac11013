import { expect, it } from "vitest";
import { setScene } from "./scene.js";

const scene = setScene("vite-react", async (example, port, { demo }) => {
  await example.build();
  const args = ["--host", "localhost", "--port", String(port), "--strictPort"];
  await example.serve("preview", args, { ROWCAST_URL: demo.url });
});

const filename = "measurements.pdf";

it("shows what happens, by hooks and by components, over one stream", async () => {
  const page = await scene.open(`/#token=${scene.demo.tokens[1]}`);
  await page.getByText("Connected", { exact: true }).waitFor();
  // The demo's visitors talk all the time.
  await page.getByRole("list", { name: "Messages" }).getByText("user_message").first().waitFor();
  await scene.database.query(
    `INSERT INTO chatbot.documents (organization_id, filename, size_bytes, processing_status, error_message, finished_at)
     VALUES ('org_alder', $1, 1000, 'failed', 'no text found', now())`,
    [filename],
  );
  await page.getByText(filename).first().waitFor();
  await page.getByText(/Documents that failed: [1-9]/).waitFor();
  const answer = await fetch(`${scene.demo.url}/api/v1/realtime/stats`, {
    headers: { Authorization: `Bearer ${scene.demo.tokens[0]}` },
  });
  expect((await answer.json()).data.totalConnections).toBe(1);
});
