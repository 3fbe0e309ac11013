// A word in a colour that means something.

import type { ReactNode } from "react";

export type Tone = "neutral" | "accent" | "good" | "warning" | "danger";

export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`rc-badge rc-tone-${tone}`}>{children}</span>;
}
