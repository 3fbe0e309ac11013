"use client";

// `@rowcast/client/tanstack-query`.

export { applyEvent, type QueryCache, type QueryKey, type QueryRows, refetch } from "./applyEvent.js";
export { type QueryEventsOptions, useQueryEvents } from "./useQueryEvents.js";
