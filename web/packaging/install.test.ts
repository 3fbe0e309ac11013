// The packed package in an empty folder: what is in it, and that Node and TypeScript can use it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entries, manifest, specifierOf, WEB } from "./entries.js";
import { licenceOf, packageDirectory } from "./licences.js";
import { App } from "./packed.js";

/** Entry points whose modules are components and hooks: for browsers, and for servers that render them. */
const REACT = ["react", "components", "tanstack-query"];

let app: App;
beforeAll(async () => {
  app = await App.create();
});
afterAll(() => app.remove());

const installed = (file = "") => join(app.directory, "node_modules/@rowcast/client", file);
const read = (file: string) => readFileSync(installed(file), "utf8");
const list = (directory: string) => readdirSync(directory).filter((name) => !name.startsWith("."));

describe("what is in it", () => {
  it("brings no other package along", () => {
    expect(list(join(app.directory, "node_modules"))).toEqual(["@rowcast"]);
    expect(JSON.parse(read("package.json"))).not.toHaveProperty("dependencies");
  });

  it("is what was built, the licence and the README", () => {
    expect(list(installed()).sort()).toEqual(["LICENSE", "README.md", "lib", "package.json"]);
    expect(read("LICENSE")).toBe(readFileSync(join(WEB, "../LICENSE"), "utf8"));
    expect(list(installed("lib")).filter((name) => !/\.(js|js\.map|d\.ts|css|txt)$/.test(name))).toEqual([]);
  });

  it("has all that its exports name", () => {
    const targets = Object.values(manifest().exports).flatMap((target) =>
      typeof target === "object" ? Object.values(target) : [target],
    );
    for (const target of targets) expect(read(target), target).not.toBe("");
  });

  it("carries the licence of everything that was bundled, which is one library", () => {
    const maps = list(installed("lib")).filter((name) => name.endsWith(".map"));
    const sources = maps.flatMap((map): string[] => JSON.parse(read(`lib/${map}`)).sources);
    const bundled = new Set(sources.flatMap((source) => packageDirectory(source) ?? []));
    expect([...bundled]).toEqual(["../node_modules/uplot"]);
    for (const directory of bundled)
      expect(read("lib/THIRD-PARTY-LICENSES.txt")).toContain(licenceOf(join(WEB, "lib", directory)));
  });

  it("has a stylesheet that pages with a strict policy can load: nothing inlined, nothing loaded", () => {
    expect(read("lib/styles.css")).toContain(".rc-root");
    expect(read("lib/styles.css")).not.toMatch(/@import|data:|url\(/);
  });

  it("marks what is for the browser's side of React, and nothing else", () => {
    for (const name of Object.keys(entries()))
      expect(read(`lib/${name}.js`).startsWith('"use client";'), name).toBe(REACT.includes(name));
  });
});

describe("Node", () => {
  const importing = (names: readonly string[]) =>
    names.map((name, at) => `import * as module${at} from "${specifierOf(name)}";`).join("\n") +
    `console.log(JSON.stringify([${names.map((_, at) => `Object.keys(module${at})`)}]));`;

  it("imports what needs no React", async () => {
    const [core, server] = JSON.parse(await app.node(importing(["index", "server"])));
    expect(core).toEqual(expect.arrayContaining(["connect", "parseCursor", "RowcastError", "SseParser"]));
    expect(server).toEqual(
      expect.arrayContaining([
        "ChatbotMetricsSSE",
        "ConversationSSE",
        "DocumentProcessingSSE",
        "ErrorMonitoringSSE",
        "SystemHealthSSE",
        "configure",
        "createProducers",
        "fromPostgresJs",
      ]),
    );
  });

  it("imports all of it, once React is there, and renders it on a server", async () => {
    const names = ["react", "react-dom", ...("tanstack-query" in entries() ? ["@tanstack/react-query"] : [])];
    for (const name of names) await app.link(name);
    const modules: string[][] = JSON.parse(await app.node(importing(Object.keys(entries()))));
    expect(modules.every((names) => names.length > 0)).toBe(true);
    const html = await app.node(`
      import { createElement } from "react";
      import { renderToString } from "react-dom/server";
      import { RowcastProvider, useSSE } from "@rowcast/client/react";
      const Status = () => createElement("p", null, useSSE().status);
      const provider = createElement(RowcastProvider, { token: () => "none" }, createElement(Status));
      console.log(renderToString(provider));`);
    expect(html).toMatch(/^<p>(disconnected|connecting)<\/p>$/m);
  });

  it("says what to do when a producer has no client", async () => {
    const source = `
      import { SystemHealthSSE } from "@rowcast/client/server";
      await SystemHealthSSE.notifyDatabaseHealth("healthy", 1).catch((error) => console.log(error.message));`;
    expect(await app.node(source)).toContain("call configure({ client })");
  });
});

describe("TypeScript", () => {
  const browser = `
    import { connect, type OutboxEvent } from "@rowcast/client";

    declare module "@rowcast/client" {
      interface EventData { invoice_paid: { invoiceId: string } }
    }

    export function show(event: OutboxEvent): string {
      switch (event.type) {
        case "invoice_paid": return event.data.invoiceId;
        case "document_processing": return event.data.filename;
        // @ts-expect-error: health has no file
        case "system_health": return event.data.filename;
        // @ts-expect-error: there is no such type
        case "no_such_type": return "";
        default: return event.id;
      }
    }

    export const connection = connect(
      { token: () => "a token", subscriptions: ["invoice_paid"] },
      { onEvent: (event) => void show(event), onState() {}, onReset() {} },
    );
    // @ts-expect-error: what to do with events must be said
    connect({ token: () => "a token" });`;
  const react = `
    import "./browser.js";
    import { RowcastProvider, useRowcastEvents, useSSE } from "@rowcast/client/react";

    function Invoices() {
      const { events, status } = useSSE({ subscriptions: ["invoice_paid"] });
      useRowcastEvents({
        subscriptions: ["invoice_paid"],
        onEvent: (event) => console.log(event.data.invoiceId),
      });
      return <p>{status}: {events.length}</p>;
    }

    export const page = <RowcastProvider token={() => "a token"}><Invoices /></RowcastProvider>;`;
  const server = `
    import { configure, DocumentProcessingSSE, emit, type QueryClient } from "@rowcast/client/server";

    export async function upload(client: QueryClient): Promise<string> {
      configure({ client });
      // @ts-expect-error: a severity is none of the priorities of an event
      await emit(client, { type: "user_activity", organizationId: null, priority: "urgent", data: { userId: "u", action: "a" } });
      // @ts-expect-error: the data are those of the type
      await emit(client, { type: "user_activity", organizationId: null, data: { filename: "a.pdf" } });
      return DocumentProcessingSSE.using(client).notifyUploadStarted("d", "p", "o", "a.pdf");
    }`;
  const resolutions = [
    { module: "ESNext", moduleResolution: "bundler" },
    { module: "NodeNext", moduleResolution: "nodenext" },
  ];

  it.each(resolutions)("with $moduleResolution: apps, and events of their own", async (resolution) => {
    for (const name of ["@types/react", "csstype"]) await app.link(name);
    await app.write("browser.ts", browser);
    await app.write("react.tsx", react);
    await app.check({ ...resolution, lib: ["ES2023", "DOM", "DOM.Iterable"], types: [] }, [
      "browser.ts",
      "react.tsx",
    ]);
  });

  it.each(resolutions)("with $moduleResolution: servers, which have no DOM", async (resolution) => {
    await app.write("server.ts", server);
    await app.check({ ...resolution, lib: ["ES2023"], types: [] }, ["server.ts"]);
  });
});
