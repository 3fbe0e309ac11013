// @vitest-environment happy-dom

// What `EventList` shows of events of any type.

import { describe, expect, it } from "vitest";
import { setScreen } from "../testing/screen.js";
import { EventList } from "./index.js";
import { event } from "./model/fixture.js";

const screen = setScreen();
const { show, text, expectAccessible } = screen;

describe("a list of events", () => {
  const many = Array.from({ length: 30 }, (_, n) => event("user_activity", { n }, { id: String(n) }));

  it("shows the newest, newest first", async () => {
    await show(<EventList events={many} title="Invoices" maxEvents={3} />);
    expect([...screen.page.querySelectorAll("code")].map(({ textContent }) => textContent)).toEqual([
      '{"n":29}',
      '{"n":28}',
      '{"n":27}',
    ]);
    await expectAccessible();
  });

  it("shows ten of them, unless told otherwise", async () => {
    await show(<EventList events={many} title="Invoices" />);
    expect(screen.page.querySelectorAll("li")).toHaveLength(10);
    await show(<EventList events={many} title="Invoices" maxEvents={0} />);
    expect(screen.page.querySelectorAll("li")).toHaveLength(0);
  });

  it("says when there are none", async () => {
    await show(<EventList events={[]} title="Invoices" />);
    expect(text()).toContain("Nothing came so far.");
    await expectAccessible();
  });
});
