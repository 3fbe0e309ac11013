// One provider, one stream for all that is below it.

import { RowcastProvider } from "@rowcast/client/react";
import "@rowcast/client/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";

// As the demo's link has it. An app of yours asks its own server, for a new one each time that this is called.
const token = new URLSearchParams(location.hash.slice(1)).get("token");

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <RowcastProvider token={() => token}>
        <App />
      </RowcastProvider>
    </StrictMode>,
  );
