// `@rowcast/client/react`.

export { type UseSSEOptions, type UseSSEResult, useSSE } from "./useSSE.js";
