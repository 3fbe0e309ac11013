// Stands in the place of a component whose events are not asked for.

import { useId } from "react";
import { Blank } from "./Blank.js";

export function Off({ title }: { title: string }) {
  const heading = useId();
  return (
    <section className="rc-root rc-panel" aria-labelledby={heading} data-standing="off">
      <header className="rc-panel-head">
        <h2 className="rc-panel-title" id={heading}>
          {title}
        </h2>
      </header>
      <Blank icon="cut">Switched off: the stream does not carry these events.</Blank>
    </section>
  );
}
