// What went wrong in the app.

import type { ErrorNotification, Priority } from "../protocol.js";
import type { QueryClient } from "./client.js";
import { type EmitOptions, PRIORITIES } from "./emit.js";
import { checkOneOf, checkText, present } from "./input.js";
import { Producer } from "./producer.js";

type UserImpact = ErrorNotification["userImpact"];

/** What an error may say besides. */
export interface ErrorOptions extends Omit<EmitOptions, "priority"> {
  /** Absent: a random one. The same id again is the same error again. */
  errorId?: string | undefined;
  /** Each method says what it is otherwise. Also the event's priority. */
  severity?: Priority | undefined;
  /** Each method says what it is otherwise. */
  userImpact?: UserImpact | undefined;
  /** What to do about it. */
  resolution?: string | undefined;
  /** Such as `error.stack`. Only sent when it is given here, and then to viewers with `admin` alone. */
  stackTrace?: string | undefined;
  /** Sent to viewers with `admin` alone. */
  sentryIssueId?: string | undefined;
}

/** What an error of the platform may say besides: also whose it is after all. */
export interface PlatformErrorOptions extends ErrorOptions {
  /** Absent: the platform's error, which holders of `monitor` in every organization see. */
  organizationId?: string | undefined;
}

const IMPACTS = ["none", "minor", "major", "critical"] as const satisfies readonly UserImpact[];

/**
 * `error_notification` events. Every method returns the id of the event in the outbox.
 *
 * Of an `Error` its message is taken and nothing else: stacks, causes and properties may hold a request, a password, a row.
 * Whoever holds `monitor` reads the message: give a text of your own where the error's may tell too much.
 */
export class ErrorMonitoringProducer extends Producer {
  override using(client: QueryClient): ErrorMonitoringProducer {
    return new ErrorMonitoringProducer(() => client);
  }

  /** An error in one organization: severity `medium`, impact `minor`. */
  async notifyError(
    error: Error | string,
    component: string,
    organizationId: string,
    options: ErrorOptions = {},
  ): Promise<string> {
    checkText("organizationId", organizationId);
    return this.#announce(error, component, { ...options, organizationId }, "medium", "minor");
  }

  /** An error of the platform's own: severity `high`, impact `major`. */
  async notifySystemError(
    error: Error | string,
    component: string,
    options: PlatformErrorOptions = {},
  ): Promise<string> {
    return this.#announce(error, component, options, "high", "major");
  }

  /** Nothing works any more: severity and impact `critical`. */
  async notifyCriticalFailure(
    error: Error | string,
    component: string,
    options: PlatformErrorOptions = {},
  ): Promise<string> {
    return this.#announce(error, component, options, "critical", "critical");
  }

  #announce(
    error: Error | string,
    component: string,
    options: PlatformErrorOptions,
    usualSeverity: Priority,
    usualImpact: UserImpact,
  ): Promise<string> {
    const {
      organizationId = null,
      errorId = crypto.randomUUID(),
      resolution,
      stackTrace,
      sentryIssueId,
    } = options;
    const { severity = usualSeverity, userImpact = usualImpact, userId, chatbotId, sessionId } = options;
    const message = error instanceof Error ? error.message || error.name : error;
    checkText("errorId", errorId);
    checkText("component", component);
    checkOneOf("severity", severity, PRIORITIES);
    checkOneOf("userImpact", userImpact, IMPACTS);
    checkText("error", message);
    const about = { priority: severity, userId, chatbotId, sessionId };
    const data = present({
      errorId,
      component,
      severity,
      message,
      stackTrace,
      userImpact,
      resolution,
      sentryIssueId,
    });
    return this.emit({ ...about, type: "error_notification", organizationId, data });
  }
}
