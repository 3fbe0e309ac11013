// A page that has styles of its own, and shows the components when it is asked to.

import { createRoot } from "react-dom/client";

const token = new URLSearchParams(location.hash.slice(1)).get("token");

document.getElementById("mount")?.addEventListener("click", async () => {
  await import("../../src/components/styles/index.css");
  const { SSEDashboard } = await import("../../src/components/index.js");
  const { RowcastProvider } = await import("../../src/react/index.js");
  const app = document.getElementById("app");
  if (!app) throw new Error("the page has no #app");
  createRoot(app).render(
    <RowcastProvider token={() => token} tabs={false}>
      <SSEDashboard organizationId="o1" />
    </RowcastProvider>,
  );
});
