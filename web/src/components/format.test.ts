import { describe, expect, it } from "vitest";
import { formatFigure, formatName } from "./format.js";

describe("figures", () => {
  it("keep what tells a share from its limit", () => {
    expect([0.846154, 0.85, 3, 84.62, 5862, 123_456].map(formatFigure)).toEqual([
      "0.85",
      "0.85",
      "3",
      "84.6",
      "5,862",
      "123.5K",
    ]);
  });
});

describe("names", () => {
  it("are words, whatever they were written as", () => {
    expect(
      ["successRate", "query_p95_ms", "llm_api", "conversation.opened", "connections_percent"].map(
        formatName,
      ),
    ).toEqual(["Success rate", "Query P95 (ms)", "LLM API", "Conversation opened", "Connections (%)"]);
  });
});
