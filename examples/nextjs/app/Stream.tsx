"use client";

// The page's one stream. In a component of the browser's side, because a function, the one that fetches tokens, cannot come from the server.

import { RowcastProvider } from "@rowcast/client/react";
import type { ReactNode } from "react";

interface StreamProps {
  url: string;
  organizationId: string;
  children: ReactNode;
}

export function Stream({ url, organizationId, children }: StreamProps) {
  return (
    <RowcastProvider url={`${url}/api/v1/realtime/sse`} organizationId={organizationId} token={fetchToken}>
      {children}
    </RowcastProvider>
  );
}

async function fetchToken(): Promise<string> {
  const answer = await fetch("/api/token", { method: "POST" });
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return (await answer.json()).token;
}
