// React under a test's own time: what it puts off is done when a frame has passed.

import { act } from "react";
import { vi } from "vitest";

vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);

/** Lets a frame pass. */
export const settle = () => act(() => vi.advanceTimersByTimeAsync(50));
