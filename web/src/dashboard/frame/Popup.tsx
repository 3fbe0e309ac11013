// A button that shows something beside it: closed by Escape, by a click elsewhere, and when the focus leaves.

import { type ReactNode, useEffect, useId, useRef, useState } from "react";

interface Props {
  /** What the button shows. */
  face: ReactNode;
  /** What it is about, for those who do not see where it stands. */
  label: string;
  children: (close: () => void) => ReactNode;
}

export function Popup({ face, label, children }: Props) {
  const [open, setOpen] = useState(false);
  const body = useId();
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    const onPointerDown = ({ target }: PointerEvent): void => {
      if (target instanceof Node && !root.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointerDown);
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [open]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only listens to what happens to the button and within.
    <div
      ref={root}
      className="rd-popup"
      onKeyDown={(event) => {
        if (!open || event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
      onBlur={({ relatedTarget }) => {
        if (relatedTarget instanceof Node && !root.current?.contains(relatedTarget)) setOpen(false);
      }}
    >
      <button
        ref={button}
        type="button"
        className="rd-button rd-popup-face"
        aria-expanded={open}
        aria-controls={open ? body : undefined}
        onClick={() => setOpen(!open)}
      >
        <span className="rd-hidden">{label}: </span>
        {face}
        <span className="rd-caret" aria-hidden="true" />
      </button>
      {open && (
        <div id={body} className="rd-popup-body">
          {children(close)}
        </div>
      )}
    </div>
  );
}
