// Data flows one way: what a file imports stands above it in the map in DEVELOPING.md, or in its own folder.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, normalize } from "node:path";
import { expect, it } from "vitest";

const WEB = new URL("..", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, WEB), "utf8");

/** `src/x.ts` and `src/x/` as they stand in the map. */
const order = [...read("DEVELOPING.md").matchAll(/^src\/([a-z-]+)(?:\.ts|\/)/gm)].map(
  ([, name]) => name ?? "",
);

/** The part of the map that a file belongs to. */
const partOf = (path: string): string => path.replace(/^src\//, "").replace(/[/.].*$/, "");

const files = readdirSync(new URL("src", WEB), { recursive: true, encoding: "utf8" })
  .map((path) => `src/${path}`)
  .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$|^src\/(testing\/|index\.ts$)/.test(path));

it("every file has its place in the map", () => {
  expect([...new Set(files.map(partOf))].filter((part) => !order.includes(part))).toEqual([]);
  expect(order.filter((part) => !files.some((path) => partOf(path) === part))).toEqual([]);
});

it("imports point up the map", () => {
  const down = files.flatMap((path) =>
    [...read(path).matchAll(/(?:from|import\(?) ?"(\.[^"]+)"/g)]
      .map(([, target]) => partOf(normalize(`${dirname(path)}/${target}`)))
      .filter((part) => order.indexOf(part) > order.indexOf(partOf(path)))
      .map((part) => `${path} imports ${part}`),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(down).toEqual([]);
});
