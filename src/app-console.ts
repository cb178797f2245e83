import { createConnectedApps } from "./auth/connected-apps.ts";
import type { ConnectionJournal } from "./auth/connection-journal.ts";
import type { BrowserSessions } from "./auth/sign-in/browser-session.ts";
import type { Config } from "./config.ts";
import type { Connections } from "./connections/connections.ts";
import { createActivityHandlers } from "./console/activity/activity-handlers.tsx";
import { createActivityWatch } from "./console/activity/activity-watch.ts";
import { createAppHandlers } from "./console/apps/app-handlers.tsx";
import { createErrorHandlers } from "./console/errors/error-handlers.tsx";
import { createKeyHandlers } from "./console/keys/key-handlers.tsx";
import { createOrderHandlers } from "./console/orders/order-handlers.tsx";
import { createSystemHandlers } from "./console/system/system-handlers.tsx";
import type { SystemSettings } from "./console/system/system-page.tsx";
import type { CallerPageHandlers } from "./http/routes.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { Random } from "./lib/random.ts";
import { version } from "./lib/version.ts";
import type { PageRenderer } from "./pages/page-renderer.tsx";
import type { AuditWriter } from "./storage/audit-writer.ts";
import type { Sealer } from "./storage/sealing.ts";
import type { Storage } from "./storage/storage.ts";
import type { Trading } from "./trading/trading.ts";

/** What the console's pages about callers work with. */
export interface CallerPageParts {
  readonly storage: Storage;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connections: Connections;
  readonly trading: Trading;
  readonly journal: ConnectionJournal;
  readonly audit: AuditWriter;
  readonly pages: PageRenderer;
  readonly sessions: BrowserSessions;
  readonly publicUrl: () => string;
  readonly tools: readonly { readonly name: string }[];
  /** Path of the script that keeps pages current. */
  readonly liveScript: string;
}

const DAY_MS = 86_400_000;

/** Wires the console's pages about callers: keys, apps, and what they did. */
export function createCallerPages(config: Config, parts: CallerPageParts): CallerPageHandlers {
  const unusedDays = config.grantUnusedDays;
  const apps = createConnectedApps({ ...parts, unusedLimitMs: unusedDays * DAY_MS });
  return {
    keys: createKeyHandlers(parts),
    activity: createActivityHandlers({ ...parts, watch: createActivityWatch(parts), tools: parts.tools.map(({ name }) => name) }),
    errors: createErrorHandlers(parts),
    system: createSystemHandlers({ ...parts, settings: systemSettings(config, parts) }),
    orders: createOrderHandlers(parts),
    apps: createAppHandlers({ ...parts, apps, unusedDays }),
  };
}

/** What the gateway is set to, without a secret among it. */
function systemSettings(config: Config, { clock, storage }: CallerPageParts): SystemSettings {
  return {
    version: version(),
    startedAt: clock.now(),
    dialect: storage.dialect,
    allowedDomains: config.oidcAllowedDomains,
    providers: config.oidcProviders.map(({ name }) => name),
    demo: config.demo,
    simulator: config.simulator,
    clientDocumentHosts: config.clientDocumentHosts,
    trustedProxies: config.trustedProxies,
    unusedDays: config.grantUnusedDays,
  };
}
