import { createConnectionPages } from "./app-connections.ts";
import { createCallerPages } from "./app-console.ts";
import { createPortfolioPages } from "./app-portfolio.ts";
import type { ConnectionJournal } from "./auth/connection-journal.ts";
import type { AuthorizationServer } from "./auth/oauth/authorization-server.ts";
import { createConsentHandlers } from "./auth/consent/consent-handlers.tsx";
import { createSignIn } from "./auth/sign-in/create-sign-in.ts";
import type { Config } from "./config.ts";
import type { ConnectionOffer } from "./connections/connection-offers.ts";
import type { Connections } from "./connections/connections.ts";
import { createHelpHandlers } from "./help/help-handlers.tsx";
import type { HelpTool } from "./help/help-facts.ts";
import { loadHelp } from "./help/load-help.ts";
import type { SiteHandlers } from "./http/routes.ts";
import type { Clock } from "./lib/clock.ts";
import { ERROR_MEANINGS } from "./lib/error-meanings.ts";
import type { Log } from "./lib/log.ts";
import type { Random } from "./lib/random.ts";
import { version } from "./lib/version.ts";
import { createAssetHandler } from "./pages/asset-handler.ts";
import { loadAssets } from "./pages/assets.ts";
import { createPageRenderer, type PageRenderer } from "./pages/page-renderer.tsx";
import type { AuditWriter } from "./storage/audit-writer.ts";
import type { Sealer } from "./storage/sealing.ts";
import type { Storage } from "./storage/storage.ts";
import type { Trading } from "./trading/trading.ts";

/** What the pages for people work with. */
export interface SiteParts {
  readonly storage: Storage;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: typeof fetch;
  readonly connections: Connections;
  readonly audit: AuditWriter;
  readonly journal: ConnectionJournal;
  readonly trading: Trading;
  readonly oauth: () => Pick<AuthorizationServer, "consentDesk">;
  /** The gateway's own origin; known once it listens. */
  readonly publicUrl: () => string;
  /** Every tool, as the help describes it. */
  readonly tools: readonly HelpTool[];
  /** The connections that people can add here. */
  readonly offers: readonly ConnectionOffer[];
}

/** The pages for people: what renders them, and what answers each of their URLs. */
export interface Site {
  readonly pages: PageRenderer;
  readonly handlers: SiteHandlers;
}

/** Wires the pages for people. Throws when the files that they load are missing. */
export function createSite(config: Config, parts: SiteParts): Site {
  const assets = loadAssets();
  const pages = createPageRenderer({ assets });
  const signIn = createSignIn(
    { ...parts, pages, assets },
    {
      isHttps: config.publicUrl?.startsWith("https:") ?? false,
      providers: config.oidcProviders,
      allowedDomains: config.oidcAllowedDomains,
    },
  );
  const deps = { ...parts, pages, sessions: signIn.sessions };
  const consent = createConsentHandlers({ ...deps, servesDemo: config.demo, desk: () => parts.oauth().consentDesk });
  const help = createHelpHandlers({
    pages,
    documents: loadHelp(),
    facts: () => ({
      publicUrl: parts.publicUrl(),
      version: version(),
      operatorContact: config.operatorContact,
      tools: parts.tools,
      errors: ERROR_MEANINGS,
    }),
    whoIs: (cookie) => signIn.sessions.current(cookie),
  });
  return {
    pages,
    handlers: {
      help,
      callers: createCallerPages(config, { ...deps, liveScript: assets.live.path }),
      asset: createAssetHandler(assets),
      signIn: signIn.handlers,
      showConsent: consent.show,
      decideConsent: consent.decide,
      connections: createConnectionPages(config, { ...deps, liveScript: assets.live.path }),
      portfolio: createPortfolioPages(config, { ...deps, assets }),
    },
  };
}
