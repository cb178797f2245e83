import type { Context } from "hono";

import { FORWARDING_HEADERS } from "./client-address.ts";
import type { HealthReport } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import type { PageBindings, RouteHandlers } from "./routes.ts";

export interface PagesDeps {
  readonly health: () => Promise<HealthReport>;
  readonly metrics: Metrics;
  readonly publicUrl: () => string;
  readonly version: string;
  /** Shows `/metrics` to other machines too. */
  readonly publicMetrics: boolean;
}

/** Makes the handlers of the small pages: health, figures, and what this server is. */
export function createPages(deps: PagesDeps): Omit<RouteHandlers, "mcp" | "oauth"> {
  return {
    health: async (c: Context<PageBindings>) => {
      const report = await deps.health();
      return c.json(report, report.status === "ok" ? 200 : 503);
    },
    metrics: async (c: Context<PageBindings>) => {
      if (!deps.publicMetrics && !isThisMachine(c)) {
        return c.json({ error: "Metrics are shown to this machine only." }, 403);
      }
      const { contentType, text } = await deps.metrics.render();
      return c.body(text, 200, { "Content-Type": contentType });
    },
    home: (c: Context<PageBindings>) => c.text(homeText(deps.publicUrl(), deps.version)),
  };
}

function homeText(publicUrl: string, version: string): string {
  return [
    `IBKR Gateway ${version}: an MCP server that connects AI hosts and scripts to an Interactive Brokers account.`,
    "",
    `MCP endpoint: ${publicUrl}/mcp (POST, with an API key as bearer token)`,
    `Health:       ${publicUrl}/healthz`,
    "",
    `curl -sS ${publicUrl}/mcp -H "Authorization: Bearer ibkr_..." -H "Content-Type: application/json" \\`,
    `  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
    "",
  ].join("\n");
}

/** A proxy on this machine has a loopback address, too; whom it speaks for is somewhere else. */
function isThisMachine(c: Context<PageBindings>): boolean {
  const { address } = c.env.facts;
  const isLoopback = address !== undefined && (address === "::1" || address.startsWith("127."));
  return isLoopback && FORWARDING_HEADERS.every((name) => c.req.header(name) === undefined);
}
