// What the types promise, held by the compiler: `npm run check` fails where `expectTypeOf` is not met here, and what an
// app declares for itself is compiled in a program of its own.

import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, expectTypeOf, it } from "vitest";
import type {
  BuiltInEventData,
  CloseReason,
  ConnectionStatus,
  ConversationActivity,
  Coverage,
  DocumentProcessing,
  EventOf,
  EventType,
  HealthStatus,
  OutboxEvent,
  PollAnswer,
  ResetReason,
  RowcastEvent,
} from "./protocol.js";

const document: RowcastEvent = {
  id: "1042",
  type: "document_processing",
  timestamp: "2026-11-23T09:00:00.000000Z",
  priority: "medium",
  operation: "UPDATE",
  data: { documentId: "7", filename: "a.pdf", stage: "ocr", progress: 10, status: "processing" },
};

/** Names every type; without one of them it does not compile. */
function about(event: RowcastEvent): string {
  switch (event.type) {
    case "document_processing":
      expectTypeOf(event).toEqualTypeOf<EventOf<"document_processing">>();
      expectTypeOf(event.data).toEqualTypeOf<DocumentProcessing>();
      return event.data.filename;
    case "conversation_activity":
      expectTypeOf(event.data).toEqualTypeOf<ConversationActivity>();
      return event.data.messageId;
    case "system_health":
      expectTypeOf(event.data.status).toEqualTypeOf<HealthStatus>();
      return event.data.message;
    case "error_notification":
      return event.data.errorId;
    case "chatbot_metrics":
      return String(event.data.cost);
    case "user_activity":
      return event.data.action;
    case "performance_alert":
      return event.data.metric;
    case "connection_status":
      expectTypeOf(event.data).toEqualTypeOf<ConnectionStatus>();
      return status(event.data);
    default:
      return event satisfies never;
  }
}

function status(data: ConnectionStatus): string {
  switch (data.status) {
    case "connected":
      return data.connectionId;
    case "access_changed":
      expectTypeOf<typeof data>().toExtend<Coverage>();
      return data.subscriptions.join();
    case "reset":
      expectTypeOf(data.reason).toEqualTypeOf<ResetReason>();
      return data.reason;
    case "closing":
      expectTypeOf(data.reason).toEqualTypeOf<CloseReason>();
      return data.reason;
    case "token_expiring":
      return data.expiresAt;
    case "degraded":
    case "recovered":
      return data.status;
    default:
      return data satisfies never;
  }
}

describe("an event", () => {
  it("is narrowed by its type", () => {
    expect(about(document)).toBe("a.pdf");
    expect(
      about({ type: "connection_status", timestamp: document.timestamp, data: { status: "degraded" } }),
    ).toBe("degraded");
  });

  it("has the type of one of the built-in ones, where an app adds none", () => {
    expectTypeOf<EventType>().toEqualTypeOf<keyof BuiltInEventData>();
    expectTypeOf<OutboxEvent["type"]>().toEqualTypeOf<EventType>();
    expectTypeOf<PollAnswer["events"]>().toEqualTypeOf<OutboxEvent[]>();
  });

  it("has no field that is null or of another type's", () => {
    expectTypeOf<OutboxEvent["organizationId"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<DocumentProcessing>().not.toHaveProperty("messageId");
  });
});

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Files that were read for an earlier program; an app changes none of them. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler has to say of an app's module, which imports the package as apps do. */
function compile(source: string): string[] {
  const file = `${ROOT}src/app-of-a-test.ts`;
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile);
  const parsedConfig = ts.parseJsonConfigFileContent({ ...config, include: [], files: [file] }, ts.sys, ROOT);
  const paths = { "@rowcast/client": ["./src/index.ts"] };
  const options = { ...parsedConfig.options, noUnusedLocals: false, paths };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.readFile = (path) => (path === file ? source : readFile(path));
  host.getSourceFile = (path, target) => {
    if (path === file) return ts.createSourceFile(path, source, target);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, target));
    return parsed.get(path);
  };
  const program = ts.createProgram([file], options, host);
  // The package's own files are `npm run check`'s affair.
  const app = program.getSourceFile(file);
  const found = [...program.getSyntacticDiagnostics(app), ...program.getSemanticDiagnostics(app)];
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

const DECLARES = `
  import type { EventOf, EventType, RowcastEvent } from "@rowcast/client";
  declare module "@rowcast/client" {
    interface EventData { invoice_paid: { invoiceId: string; amount: string } }
  }
`;

describe("an app's own types", { timeout: 60_000 }, () => {
  it("are known by every signature", () => {
    const app = `${DECLARES}
      export const own: EventType = "invoice_paid";
      export const amount = (event: EventOf<"invoice_paid">): string => event.data.amount;
      export function about(event: RowcastEvent): string | undefined {
        return event.type === "invoice_paid" ? event.data.invoiceId : undefined;
      }`;
    expect(compile(app)).toEqual([]);
  });

  it("have their own data, and others are still unknown", () => {
    const app = `${DECLARES}
      export const other: EventType = "invoice_lost";
      export const wrong = (event: EventOf<"invoice_paid">): number => event.data.amount;`;
    expect(compile(app)).toEqual([
      "Type '\"invoice_lost\"' is not assignable to type 'keyof EventData'.",
      "Type 'string' is not assignable to type 'number'.",
    ]);
  });

  it("make a switch that names the built-in ones alone incomplete", () => {
    const cases = [...ALL, "connection_status"].map((type) => `case "${type}": return "known";`).join("\n");
    const app = (declares: string) => `${declares}
      export function about(event: import("@rowcast/client").RowcastEvent): string {
        switch (event.type) { ${cases} default: { const none: never = event; return none; } }
      }`;
    expect(compile(app(""))).toEqual([]);
    expect(compile(app(DECLARES))).toEqual([expect.stringContaining("is not assignable to type 'never'")]);
  });
});

const ALL = Object.keys({
  document_processing: 0,
  conversation_activity: 0,
  system_health: 0,
  error_notification: 0,
  chatbot_metrics: 0,
  user_activity: 0,
  performance_alert: 0,
} satisfies Record<EventType, 0>);
