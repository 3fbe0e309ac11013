// How the parts of the platform are.

import type { HealthStatus, Priority, SystemHealth } from "../protocol.js";
import type { QueryClient } from "./client.js";
import type { EmitOptions } from "./emit.js";
import { checkNumber, checkOneOf, checkOptionalNumber, checkText, present } from "./input.js";
import { Producer } from "./producer.js";

/** What a check of health may say besides. */
export interface HealthOptions extends EmitOptions {
  /** Absent: the platform's health, which holders of `monitor` in every organization see. */
  organizationId?: string | undefined;
  /** What was measured. `response_time_ms` unless told. */
  metric?: string | undefined;
  /** What `value` should not pass, in the same unit. */
  threshold?: number | undefined;
  /** Absent: a sentence made of the figures. */
  message?: string | undefined;
  recommendation?: string | undefined;
}

/** What a figure of the system may say besides. */
export interface SystemMetricsOptions extends Omit<HealthOptions, "metric"> {
  /** Absent: `degraded` when the value is above the threshold, otherwise `healthy`. */
  status?: HealthStatus | undefined;
}

const STATUSES = ["healthy", "degraded", "down"] as const satisfies readonly HealthStatus[];

const PRIORITY: Readonly<Record<HealthStatus, Priority>> = {
  healthy: "low",
  degraded: "high",
  down: "critical",
};

/**
 * `system_health` events, with priority `low`, `high` or `critical` as the status is. Every method returns the id of the
 * event in the outbox.
 */
export class SystemHealthProducer extends Producer {
  override using(client: QueryClient): SystemHealthProducer {
    return new SystemHealthProducer(() => client);
  }

  /** `responseTime` in milliseconds. */
  async notifyDatabaseHealth(
    status: HealthStatus,
    responseTime: number,
    options: HealthOptions = {},
  ): Promise<string> {
    return this.#answered("database", status, responseTime, options);
  }

  /** `responseTime` in milliseconds. */
  async notifyVectorSearchHealth(
    status: HealthStatus,
    responseTime: number,
    options: HealthOptions = {},
  ): Promise<string> {
    return this.#answered("vector_search", status, responseTime, options);
  }

  /** `responseTime` in milliseconds. */
  async notifyLLMAPIHealth(
    status: HealthStatus,
    responseTime: number,
    options: HealthOptions = {},
  ): Promise<string> {
    return this.#answered("llm_api", status, responseTime, options);
  }

  /** One figure of the system as a whole, component `general`. The metric's name tells its unit: `memory_percent`. */
  async notifySystemMetrics(
    metric: string,
    value: number,
    options: SystemMetricsOptions = {},
  ): Promise<string> {
    const { threshold = Infinity, status = value > threshold ? "degraded" : "healthy", ...rest } = options;
    return this.#announce("general", status, value, { ...rest, threshold: options.threshold, metric });
  }

  #answered(
    component: SystemHealth["component"],
    status: HealthStatus,
    responseTime: number,
    options: HealthOptions,
  ): Promise<string> {
    checkNumber("responseTime", responseTime, 0);
    return this.#announce(component, status, responseTime, options);
  }

  #announce(
    component: SystemHealth["component"],
    status: HealthStatus,
    value: number,
    options: HealthOptions,
  ): Promise<string> {
    const {
      organizationId = null,
      metric = "response_time_ms",
      threshold,
      message,
      recommendation,
      ...rest
    } = options;
    checkOneOf("status", status, STATUSES);
    checkText("metric", metric);
    checkNumber("value", value);
    checkOptionalNumber("threshold", threshold);
    if (message !== undefined) checkText("message", message);
    if (recommendation !== undefined) checkText("recommendation", recommendation);
    const limit = threshold === undefined ? "" : `, limit ${threshold}`;
    const data = present({
      component,
      status,
      metric,
      value,
      threshold,
      message: message ?? `${component} is ${status}: ${metric} at ${value}${limit}`,
      recommendation,
    });
    return this.emit({
      ...rest,
      priority: rest.priority ?? PRIORITY[status],
      type: "system_health",
      organizationId,
      data,
    });
  }
}
