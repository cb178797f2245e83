import type { Child } from "hono/jsx";

import type { Account } from "../../broker/account.ts";
import type { ConnectionHealth, Connections } from "../../connections/connections.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { plainText } from "../../lib/plain-text.ts";
import { ModeBadge } from "../../pages/components/badge.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { LIVE_PAGE } from "../../pages/content-security.ts";
import type { PageFrame } from "../../pages/layout.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { portfolioTexts as texts } from "../../pages/texts/portfolio.ts";
import { connectionPath } from "../connections/connection-paths.ts";
import { consoleFrame } from "../console-frame.tsx";
import { type ConsoleVisitDeps, nothingHere, type OwnPage, ownPage } from "../console-visits.ts";
import { liveParts } from "../live-parts.ts";
import type { LivePlaces } from "../live-places.ts";
import { ownStream } from "../own-stream.ts";
import { withConnectionHealth } from "./own-portfolio.ts";
import { PartFaults } from "./part-faults.tsx";
import { readPortfolioView, type PortfolioView, waitsForChart } from "./portfolio-address.ts";
import type { AccountRef, PortfolioDesk } from "./portfolio-desk.ts";
import { PortfolioPage, type PortfolioPageProps, type PortfolioParts, portfolioParts } from "./portfolio-page.tsx";
import { type Pace, PAGE_WAIT_MS, type Part } from "./readings.ts";
import { SearchForm } from "./search-form.tsx";
import { StoppedNotice, stoppedState } from "./stopped-notice.tsx";

/** What the pages about a portfolio work with. */
export interface PortfolioDeps extends ConsoleVisitDeps {
  readonly connections: Connections;
  readonly desk: PortfolioDesk;
  readonly places: LivePlaces;
  readonly clock: Clock;
  readonly log: Log;
  /** False where the demo may not be: its connection opens nothing. */
  readonly servesDemo: boolean;
  /** Path of the script that keeps pages current. */
  readonly liveScript: string;
  /** Scripts and styles of charts, in the order in which they are needed. */
  readonly chartScripts: readonly string[];
  readonly chartStyles: readonly string[];
}

/** Answers the page of a portfolio and what keeps it current. */
export interface PortfolioHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly events: (c: PageRequest) => Promise<Response>;
}

/** Where no script runs, a page that waits for the broker loads itself again this often. */
export const RELOAD_SECONDS = 5;
/** How often an open page looks: what streams costs no request then. */
export const LOOK_EVERY_MS = 3_000;
/** Holdings are asked at the broker, three requests: an open page does it at a calmer pace. */
export const HOLDINGS_MS = 9_000;
const MAX_LABEL_LENGTH = 60;

/** Makes the handlers. They open the connection's session when it is closed. */
export function createPortfolioHandlers(deps: PortfolioDeps): PortfolioHandlers {
  return {
    show: ownPage(deps, (page) => withConnectionHealth(deps, page, (health) => showPortfolio(deps, page, health))),
    events: ownStream(deps, (page) => withConnectionHealth(deps, page, (health) => tellPortfolio(deps, page, health))),
  };
}

async function showPortfolio(deps: PortfolioDeps, page: OwnPage, health: ConnectionHealth): Promise<Response> {
  const { c, user } = page;
  const { connectionId } = health;
  const view = readPortfolioView((name) => c.req.query(name));
  const frame = portfolioFrame(page, health);
  const stopped = stoppedState(health, deps.servesDemo);
  if (stopped !== undefined) return deps.pages.page(frame, <StoppedNotice state={stopped} connectionId={connectionId} />);
  const pace = { until: deps.clock.now() + PAGE_WAIT_MS };
  const found = await accountsOf(deps, { connectionId, userId: user.userId }, health, pace);
  if (found.accounts === undefined) return waitingPage(deps, frame, { connectionId, accounts: found.part });
  const account = accountIn(found.accounts, view.accountId);
  if (account === undefined) return nothingHere(deps, page);
  const ref = { connectionId, userId: user.userId, accountId: account.accountId };
  const parts = await readParts(deps, ref, { view, pace });
  const props = propsOf(deps, { ref, health, accounts: found.accounts, view, parts });
  const isWaiting = Object.values(props.parts).some((part: Part<unknown>) => part.isPending);
  return deps.pages.page(
    {
      ...frame,
      actions: <SearchForm connectionId={connectionId} />,
      scripts: [...deps.chartScripts, deps.liveScript],
      styles: deps.chartStyles,
      reloadSeconds: isWaiting ? RELOAD_SECONDS : undefined,
    },
    <PortfolioPage {...props} />,
    { csp: LIVE_PAGE },
  );
}

async function tellPortfolio(deps: PortfolioDeps, { c, user }: OwnPage, health: ConnectionHealth): Promise<Response> {
  const { connectionId } = health;
  const view = readPortfolioView((name) => c.req.query(name));
  const waits = waitsForChart((name) => c.req.query(name));
  const own = { connectionId, userId: user.userId };
  const found = await accountsOf(deps, own, health);
  const account = accountIn(found.accounts ?? [], view.accountId);
  if (account === undefined || found.accounts === undefined) return c.json({ error: "Nothing to tell yet." }, 409);
  const { accounts } = found;
  const giveBack = deps.places.reserve(user.userId);
  if (giveBack === undefined) return c.json({ error: "Too many pages are open." }, 429);
  const ref = { ...own, accountId: account.accountId };
  return liveParts(c, deps, {
    subscribe: (changed) => {
      const stops = [deps.clock.every(LOOK_EVERY_MS, changed), deps.connections.onChange(user.userId, changed), giveBack];
      return () => stops.forEach((stop) => stop());
    },
    draw: async () => {
      const present = await deps.connections.health(own);
      if (present === undefined || stoppedState(present, deps.servesDemo) !== undefined) return undefined;
      const parts = await readParts(deps, ref, { view, holdingsMs: HOLDINGS_MS });
      if (waits && parts.performance.value !== undefined) return undefined;
      return portfolioParts(propsOf(deps, { ref, health: present, accounts, view, parts }));
    },
  });
}

interface PropsFrom {
  readonly ref: AccountRef;
  readonly health: ConnectionHealth;
  readonly accounts: readonly Account[];
  readonly view: PortfolioView;
  readonly parts: PortfolioParts;
}

function propsOf({ clock }: PortfolioDeps, { ref, health, accounts, view, parts }: PropsFrom): PortfolioPageProps {
  return {
    connectionId: ref.connectionId,
    mode: health.mode,
    accounts,
    accountId: ref.accountId,
    view,
    parts,
    now: clock.now(),
  };
}

interface ReadHow {
  readonly view: PortfolioView;
  readonly pace?: Pace;
  readonly holdingsMs?: number;
}

async function readParts({ desk }: PortfolioDeps, ref: AccountRef, { view, pace, holdingsMs }: ReadHow): Promise<PortfolioParts> {
  const calmly = { ...pace, freshMs: holdingsMs };
  const [positions, ledger, summary, pnl, orders, trades, performance] = await Promise.all([
    desk.positions(ref, calmly),
    desk.ledger(ref, calmly),
    desk.summary(ref, calmly),
    desk.pnl(ref, pace),
    desk.orders(ref, pace),
    desk.trades(ref, pace),
    desk.performance(ref, view.period, pace),
  ]);
  return { positions, ledger, summary, pnl, orders, trades, performance };
}

/** A connection's accounts as far as they are known, or else as it tells them in a moment. */
export async function accountsOf(
  { desk }: Pick<PortfolioDeps, "desk">,
  ref: { readonly connectionId: string; readonly userId: string },
  { accounts }: ConnectionHealth,
  pace?: Pace,
): Promise<{ readonly accounts: readonly Account[] | undefined; readonly part: Part<readonly Account[]> | undefined }> {
  if (accounts !== undefined && accounts.length > 0) return { accounts, part: undefined };
  const part = await desk.accounts(ref, pace);
  return { accounts: part.value, part };
}

/** The account that is asked for, or the first; undefined where there is no such. */
export function accountIn(accounts: readonly Account[], accountId: string | undefined): Account | undefined {
  return accountId === undefined ? accounts[0] : accounts.find((account) => account.accountId === accountId);
}

/** What shows while nothing is known of a connection's accounts: that its session opens, or why it doesn't. */
export function waitingPage(
  deps: PortfolioDeps,
  frame: PageFrame,
  { connectionId, accounts }: { readonly connectionId: string; readonly accounts: Part<readonly Account[]> | undefined },
): Response {
  // It loads itself again with script too: there is nothing on it yet that could be replaced.
  return deps.pages.page(
    frame,
    <PartFaults parts={accounts === undefined ? {} : { accounts }} connectionId={connectionId} />,
    accounts?.isPending === true ? { headers: { Refresh: String(RELOAD_SECONDS) } } : {},
  );
}

function portfolioFrame({ user }: OwnPage, health: ConnectionHealth): PageFrame {
  const label = plainText(health.label, MAX_LABEL_LENGTH);
  return {
    ...consoleFrame(texts.titleOf(label), "connections", user),
    back: { href: connectionPath(health.connectionId), label },
    heading: titleWithMode(texts.title, health),
  };
}

/** A heading with whose money it is about. */
export function titleWithMode(title: Child, { label, mode }: Pick<ConnectionHealth, "label" | "mode">): Child {
  return (
    <>
      {title}{" "}
      <span class="page-badges">
        <ModeBadge mode={mode} />
      </span>
      <span class="visually-hidden">
        {" "}
        <PlainName value={label} />
      </span>
    </>
  );
}
