import type { ToolAnnotations } from "../mcp/define-tool.ts";

/** A tool that only reads from the brokerage. */
export const READS: ToolAnnotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true };

/** A tool that changes a setting of the caller's own here, and nothing at the brokerage. */
export const SETS: ToolAnnotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };

/** A tool that may move money. A repeat with the same `client_order_id`, or of a cancellation, has no further effect. */
export const TRADES: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };

/** A tool that takes back what was asked before; repeating it changes nothing more. */
export const CANCELS: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true };
