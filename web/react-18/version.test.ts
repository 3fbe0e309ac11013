import { version } from "react";
import { version as rendererVersion } from "react-dom";
import { expect, it } from "vitest";

it("is really React 18", () => {
  expect([version, rendererVersion]).toEqual(["18.3.1", "18.3.1"]);
});
