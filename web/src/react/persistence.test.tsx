// @vitest-environment happy-dom

// How often a page tries again: as its hooks say, or the page, or nobody.

import { act } from "react";
import { describe, expect, it, vi } from "vitest";
import { settle } from "../testing/act.js";
import { page, setHooks } from "../testing/hooks.js";

const hooks = setHooks();
const { mount, Reader, Caller } = hooks;

describe("persistence", () => {
  const fails = async () => {
    await hooks.server.last.fail();
    await settle();
  };

  it("is what the hook says", async () => {
    await mount(page(<Reader autoReconnect={false} />));
    await fails();
    expect([hooks.result.status, hooks.server.exchanges.length]).toEqual(["error", 1]);
  });

  it("is what the page says, if the hook says nothing", async () => {
    await mount(page(<Reader />, { autoReconnect: false }));
    await fails();
    expect([hooks.result.status, hooks.server.exchanges.length]).toEqual(["error", 1]);
  });

  it("is that of the most patient, if they differ", async () => {
    await mount(
      page(
        <>
          <Caller name="patient" onEvent={() => {}} />
          <Reader autoReconnect={false} />
        </>,
      ),
    );
    await fails();
    expect(hooks.result.status).toBe("reconnecting");
  });

  it("is ten attempts unless somebody says something", async () => {
    await mount(page(<Reader />));
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      await hooks.server.last.fail();
      await act(() => vi.advanceTimersByTimeAsync(30_000));
    }
    expect([hooks.result.status, hooks.server.exchanges.length]).toEqual(["reconnecting", 11]);
    await fails();
    expect(hooks.result.status).toBe("error");
  });
});
