// Components that use the hooks, on a page with a fake server, made anew for each test, of which nothing may be left
// after it.

import { act, type ReactNode, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, vi } from "vitest";
import {
  RowcastProvider,
  type RowcastProviderProps,
  type UseSSEOptions,
  type UseSSEResult,
  useRowcastEvents,
  useSSE,
} from "../react/index.js";
import { settle } from "./act.js";
import { FakeServer } from "./server.js";

export interface Hooks {
  readonly server: FakeServer;
  /** What is unmounted after the test. */
  readonly roots: Root[];
  /** What the newest `Reader` was given. */
  readonly result: UseSSEResult;
  /** Of all `Reader`s and `Caller`s. */
  renders: number;
  mount(element: ReactNode): Promise<Root>;
  render(root: Root, element: ReactNode): Promise<void>;
  /** What a request asked for, the last one unless an index says otherwise. */
  query(index?: number): URLSearchParams;
  Reader(options: UseSSEOptions): ReactNode;
  Caller(options: { name: string } & Parameters<typeof useRowcastEvents>[0]): ReactNode;
}

/** Call once at the top of a test file; what it returns is filled in before each test. */
export function setHooks(): Hooks {
  let server: FakeServer;
  let roots: Root[];
  let errors: ReturnType<typeof vi.spyOn>;
  let result: UseSSEResult;
  let renders: number;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    roots = [];
    renders = 0;
    vi.stubGlobal("fetch", server.environment.fetch);
    // React says on the console what it does not like: mismatches, updates outside of effects.
    errors = vi.spyOn(console, "error");
  });

  afterEach(async () => {
    for (const root of roots) act(() => root.unmount());
    await settle();
    expect(server.exchanges.every(({ aborted }) => aborted)).toBe(true);
    expect(server.listeners).toBe(0);
    expect(errors).not.toHaveBeenCalled();
    vi.useRealTimers();
  });

  async function render(root: Root, element: ReactNode): Promise<void> {
    act(() => root.render(<StrictMode>{element}</StrictMode>));
    await settle();
  }

  return {
    get server() {
      return server;
    },
    get roots() {
      return roots;
    },
    get result() {
      return result;
    },
    get renders() {
      return renders;
    },
    set renders(count) {
      renders = count;
    },
    async mount(element) {
      const root = createRoot(document.createElement("div"));
      roots.push(root);
      await render(root, element);
      return root;
    },
    render,
    query: (index = -1) => new URL(server.exchanges.at(index)?.url ?? "", "http://here").searchParams,
    Reader(options) {
      result = useSSE(options);
      renders += 1;
      return <output>{result.status}</output>;
    },
    Caller({ name, ...options }) {
      useRowcastEvents(options);
      renders += 1;
      return name;
    },
  };
}

export const page = (children: ReactNode, props: RowcastProviderProps = {}) => (
  <RowcastProvider token={() => "t1"} tabs={false} {...props}>
    {children}
  </RowcastProvider>
);
