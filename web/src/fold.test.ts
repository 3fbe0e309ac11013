import { expect, it, vi } from "vitest";
import { Fold } from "./fold.js";

/** A fold of numbers into their sum, whose frames come when the test says so. */
function summing() {
  const frames: (() => void)[] = [];
  const fold = new Fold<number, number>(
    0,
    (sum, inputs) => inputs.reduce((total, input) => total + input, sum),
    (callback) => frames.push(callback),
  );
  const listener = vi.fn();
  fold.subscribe(listener);
  const frame = () => {
    for (const callback of frames.splice(0)) callback();
  };
  return { fold, frame, frames, listener };
}

it("shows all inputs of a frame as one value", () => {
  const { fold, frame, frames, listener } = summing();
  for (const input of [1, 2, 3]) fold.push(input);
  expect([fold.getSnapshot(), frames.length]).toEqual([0, 1]);
  frame();
  expect(fold.getSnapshot()).toBe(6);
  expect(listener).toHaveBeenCalledTimes(1);
  fold.push(4);
  frame();
  expect(fold.getSnapshot()).toBe(10);
});

it("tells nobody when nothing changed", () => {
  const { fold, frame, listener } = summing();
  fold.push(0);
  frame();
  expect(listener).not.toHaveBeenCalled();
});

it("lets nothing pile up where no frames are drawn", () => {
  const { fold } = summing();
  for (let input = 0; input < 2500; input += 1) fold.push(1);
  expect(fold.getSnapshot()).toBe(2000);
});
