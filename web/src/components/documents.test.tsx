// @vitest-environment happy-dom

// What `DocumentProcessingMonitor` shows of documents.

import { describe, expect, it } from "vitest";
import { click, document1, setScreen } from "../testing/screen.js";
import { DocumentProcessingMonitor } from "./index.js";

const screen = setScreen();
const { connect, send, text, button, expectAccessible } = screen;

describe("documents", () => {
  it("are found by their stage", async () => {
    await connect(<DocumentProcessingMonitor />);
    await send(
      document1({}),
      document1({ documentId: "2", filename: "b.pdf", stage: "failed", error: "no text" }),
    );
    click(button("1Failed"));
    expect(text()).toContain("no text");
    expect(text()).not.toContain("a.pdf");
    click(button("0Upload"));
    expect(text()).toContain("No document is in this stage now.");
    click(button("Show all"));
    expect(text()).toContain("a.pdf");
    await expectAccessible();
  });

  it("beyond what anybody reads are counted", async () => {
    await connect(<DocumentProcessingMonitor />);
    await send(...Array.from({ length: 250 }, (_, n) => document1({ documentId: `d${n}` })));
    expect(screen.page.querySelectorAll("li")).toHaveLength(100);
    expect(text()).toContain("The newest 100 of 250.");
    expect(button("250OCR")).toBeTruthy();
  });
});
