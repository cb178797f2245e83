import type { Config } from "./config.ts";
import { createLivePlaces } from "./console/live-places.ts";
import { createPortfolioDesk } from "./console/portfolio/portfolio-desk.ts";
import { createPortfolioHandlers, type PortfolioDeps } from "./console/portfolio/portfolio-handlers.tsx";
import { createSecurityHandlers } from "./console/portfolio/security-handlers.tsx";
import type { PortfolioPageHandlers } from "./http/routes.ts";
import type { Assets } from "./pages/assets.ts";

/** What the pages work with, less what is made here. */
export interface PortfolioPagesParts extends Omit<
  PortfolioDeps,
  "desk" | "places" | "servesDemo" | "liveScript" | "chartScripts" | "chartStyles"
> {
  readonly assets: Assets;
}

/** Pages that one person keeps open, and those of all: each has the broker's holdings read once in ten seconds. */
const PLACES = { maxOfUser: 4, maxOfAll: 64 };

/** Wires the console's pages about portfolios and securities. */
export function createPortfolioPages(config: Config, { assets, ...parts }: PortfolioPagesParts): PortfolioPageHandlers {
  const deps = {
    ...parts,
    desk: createPortfolioDesk(parts),
    places: createLivePlaces(PLACES),
    servesDemo: config.demo,
    liveScript: assets.live.path,
    chartScripts: [assets.plot.path, assets.chart.path],
    chartStyles: [assets.plotStyle.path],
  };
  return { portfolio: createPortfolioHandlers(deps), security: createSecurityHandlers(deps) };
}
