import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { nextFrame } from "./frame.js";

let frames: (() => void)[];
let now: number;

beforeEach(() => {
  vi.useFakeTimers();
  frames = [];
  now = 0;
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => frames.push(callback));
  vi.stubGlobal("cancelAnimationFrame", () => {});
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Draws the frame that was asked for. */
async function draw(): Promise<void> {
  frames.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
}

/** What takes so long, and in a microtask, as React's rendering does. */
const taking = (milliseconds: number, name: string, done: string[]) => () =>
  queueMicrotask(() => {
    now += milliseconds;
    done.push(name);
  });

it("shows in one frame what takes little time", async () => {
  const done: string[] = [];
  for (const name of ["a", "b", "c"]) nextFrame(taking(0.1, name, done));
  expect(frames).toHaveLength(1);
  await draw();
  expect(done).toEqual(["a", "b", "c"]);
  expect(frames).toHaveLength(0);
});

it("leaves what takes long to frames of its own, in turn", async () => {
  const done: string[] = [];
  for (const name of ["a", "b", "c"]) nextFrame(taking(8, name, done));
  await draw();
  expect(done).toEqual(["a"]);
  nextFrame(taking(8, "d", done));
  for (const shown of ["ab", "abc", "abcd"]) {
    await draw();
    expect(done.join("")).toBe(shown);
  }
  expect(frames).toHaveLength(0);
});

it("goes on after a fault, and tells of it", async () => {
  const faults: unknown[] = [];
  vi.stubGlobal("reportError", (fault: unknown) => faults.push(fault));
  const done: string[] = [];
  nextFrame(() => {
    throw new Error("a fault of the app");
  });
  nextFrame(taking(0, "a", done));
  await draw();
  expect(done).toEqual(["a"]);
  expect(faults).toHaveLength(1);
});

it("moves on in pages that draw no frames", async () => {
  const done: string[] = [];
  nextFrame(taking(8, "a", done));
  nextFrame(taking(8, "b", done));
  await vi.advanceTimersByTimeAsync(250);
  expect(done).toEqual(["a"]);
  await vi.advanceTimersByTimeAsync(250);
  expect(done).toEqual(["a", "b"]);
});
