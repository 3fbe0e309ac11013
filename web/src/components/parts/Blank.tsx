// What stands where there is nothing to show: why that is, or that it is on its way.

import type { ReactNode } from "react";

const PATHS = {
  lock: "M7 10V7a5 5 0 0 1 10 0v3M5.5 10h13v10h-13z",
  cut: "M4 12h4l2-5 3 10 1.5-5H20M3 3l18 18",
  quiet: "M3 12h5l2-4 3 8 2-4h6",
} as const;

export function Blank({ icon, children }: { icon: keyof typeof PATHS; children: ReactNode }) {
  return (
    <div className={`rc-blank rc-blank-${icon}`}>
      <svg className="rc-icon" viewBox="0 0 24 24" aria-hidden="true">
        <path d={PATHS[icon]} />
      </svg>
      <p>{children}</p>
    </div>
  );
}

/** Lines where rows will be. */
export function Skeleton() {
  return (
    <div className="rc-skeleton">
      <p className="rc-unseen">Connecting…</p>
      <span />
      <span />
      <span />
    </div>
  );
}
