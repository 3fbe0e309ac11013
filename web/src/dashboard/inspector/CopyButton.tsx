// Puts a text on the clipboard, and says so.

import { useState } from "react";

/** How long it says so, in milliseconds. */
const SAID = 2_000;

export function CopyButton({ label, text }: { label: string; text: string }) {
  const [said, setSaid] = useState<"Copied" | "Not allowed" | null>(null);
  // Pages served without TLS have no clipboard.
  if (!navigator.clipboard) return null;
  const copy = async (): Promise<void> => {
    const outcome = await navigator.clipboard.writeText(text).then(
      () => "Copied" as const,
      () => "Not allowed" as const,
    );
    setSaid(outcome);
    setTimeout(() => setSaid(null), SAID);
  };
  return (
    <button type="button" className="rd-button" onClick={copy}>
      <span aria-live="polite">{said ?? label}</span>
    </button>
  );
}
