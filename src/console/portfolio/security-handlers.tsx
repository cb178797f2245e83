import type { Instrument } from "../../broker/instrument.ts";
import type { ConnectionHealth } from "../../connections/connections.ts";
import { plainText } from "../../lib/plain-text.ts";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { LIVE_PAGE } from "../../pages/content-security.ts";
import type { PageFrame } from "../../pages/layout.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { portfolioTexts as texts } from "../../pages/texts/portfolio.ts";
import { consoleFrame } from "../console-frame.tsx";
import { nothingHere, type OwnPage, ownPage } from "../console-visits.ts";
import { liveParts } from "../live-parts.ts";
import { ownStream } from "../own-stream.ts";
import { withConnectionHealth } from "./own-portfolio.ts";
import { PartFaults } from "./part-faults.tsx";
import { portfolioPath, readSecurityView, type SecurityView, waitsForChart } from "./portfolio-address.ts";
import {
  accountIn,
  accountsOf,
  HOLDINGS_MS,
  LOOK_EVERY_MS,
  type PortfolioDeps,
  RELOAD_SECONDS,
  titleWithMode,
} from "./portfolio-handlers.tsx";
import { type Pace, PAGE_WAIT_MS, type Part } from "./readings.ts";
import { MAX_QUERY_LENGTH, SearchForm } from "./search-form.tsx";
import { SearchPage } from "./search-page.tsx";
import { NO_ACCOUNT_PARTS, SecurityPage, type SecurityPageProps, type SecurityParts, securityParts } from "./security-page.tsx";
import { StoppedNotice, stoppedState } from "./stopped-notice.tsx";

/** Answers the page of a security, what keeps it current, and the search for one. */
export interface SecurityHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly events: (c: PageRequest) => Promise<Response>;
  readonly search: (c: PageRequest) => Promise<Response>;
}

/** IBKR's contract ids. */
const CONID = /^[1-9]\d{0,9}$/;
const MAX_NAME_LENGTH = 60;

/** Makes the handlers. They open the connection's session when it is closed. */
export function createSecurityHandlers(deps: PortfolioDeps): SecurityHandlers {
  return {
    show: ownPage(deps, (page) => withConnectionHealth(deps, page, (health) => showSecurity(deps, page, health))),
    events: ownStream(deps, (page) => withConnectionHealth(deps, page, (health) => tellSecurity(deps, page, health))),
    search: ownPage(deps, (page) => withConnectionHealth(deps, page, (health) => showSearch(deps, page, health))),
  };
}

async function showSecurity(deps: PortfolioDeps, page: OwnPage, health: ConnectionHealth): Promise<Response> {
  const { c, user } = page;
  const { connectionId } = health;
  const view = readSecurityView((name) => c.req.query(name));
  const conid = conidOf(c);
  if (conid === undefined) return nothingHere(deps, page);
  const stopped = stoppedState(health, deps.servesDemo);
  if (stopped !== undefined) {
    return deps.pages.page(
      frameOf(page, health, { title: String(conid), view }),
      <StoppedNotice state={stopped} connectionId={connectionId} />,
    );
  }
  const pace = { until: deps.clock.now() + PAGE_WAIT_MS };
  const instrument = await deps.desk.instrument({ connectionId, userId: user.userId }, conid, pace);
  if (instrument.value === null) return unknownSecurity(deps, page, { health, view });
  if (instrument.value === undefined)
    return waitForSecurity(deps, frameOf(page, health, { title: String(conid), view }), { connectionId, instrument });
  const props = await propsOf(deps, page, { health, view, instrument: instrument.value, pace });
  const isWaiting = Object.values(props.parts).some((part: Part<unknown>) => part.isPending);
  return deps.pages.page(
    {
      ...frameOf(page, health, { title: plainText(instrument.value.symbol, MAX_NAME_LENGTH), view }),
      lead: <InstrumentLine instrument={instrument.value} />,
      actions: <SearchForm connectionId={connectionId} />,
      scripts: [...deps.chartScripts, deps.liveScript],
      styles: deps.chartStyles,
      reloadSeconds: isWaiting ? RELOAD_SECONDS : undefined,
    },
    <SecurityPage {...props} />,
    { csp: LIVE_PAGE },
  );
}

async function tellSecurity(deps: PortfolioDeps, page: OwnPage, health: ConnectionHealth): Promise<Response> {
  const { c, user } = page;
  const { connectionId } = health;
  const own = { connectionId, userId: user.userId };
  const view = readSecurityView((name) => c.req.query(name));
  const waits = waitsForChart((name) => c.req.query(name));
  const conid = conidOf(c);
  const instrument = conid === undefined ? undefined : (await deps.desk.instrument(own, conid)).value;
  if (instrument === undefined || instrument === null) return c.json({ error: "Nothing to tell." }, 409);
  const giveBack = deps.places.reserve(user.userId);
  if (giveBack === undefined) return c.json({ error: "Too many pages are open." }, 429);
  return liveParts(c, deps, {
    subscribe: (changed) => {
      const stops = [deps.clock.every(LOOK_EVERY_MS, changed), deps.connections.onChange(user.userId, changed), giveBack];
      return () => stops.forEach((stop) => stop());
    },
    draw: async () => {
      const present = await deps.connections.health(own);
      if (present === undefined || stoppedState(present, deps.servesDemo) !== undefined) return undefined;
      const props = await propsOf(deps, page, { health: present, view, instrument, holdingsMs: HOLDINGS_MS });
      if (waits && props.parts.history.value !== undefined) return undefined;
      return securityParts(props);
    },
  });
}

interface SecurityFrom {
  readonly health: ConnectionHealth;
  readonly view: SecurityView;
  readonly instrument: Instrument;
  readonly pace?: Pace;
  readonly holdingsMs?: number;
}

async function propsOf(deps: PortfolioDeps, { user }: OwnPage, from: SecurityFrom): Promise<SecurityPageProps> {
  const { desk, clock } = deps;
  const { health, view, instrument, pace, holdingsMs } = from;
  const { connectionId } = health;
  const own = { connectionId, userId: user.userId };
  const { conid } = instrument;
  const { period, bar } = view.range;
  const [quote, history, marketHours, ofAccount] = await Promise.all([
    desk.quote(own, conid, pace),
    desk.history(own, { conid, period, bar, outsideRth: false }, pace),
    desk.marketHours(own, conid, pace),
    accountPartsOf(deps, { ...own, health, view, pace, holdingsMs }),
  ]);
  return {
    connectionId,
    isSimulated: health.mode === "simulated",
    instrument,
    view,
    parts: { quote, history, marketHours, ...ofAccount },
    now: clock.now(),
  };
}

async function accountPartsOf(
  deps: PortfolioDeps,
  from: Pick<SecurityFrom, "health" | "view"> & {
    readonly connectionId: string;
    readonly userId: string;
    readonly pace: Pace | undefined;
    readonly holdingsMs: number | undefined;
  },
): Promise<Pick<SecurityParts, "positions" | "orders">> {
  const own = { connectionId: from.connectionId, userId: from.userId };
  const { accounts } = await accountsOf(deps, own, from.health, from.pace);
  const account = accountIn(accounts ?? [], from.view.accountId);
  if (account === undefined) return NO_ACCOUNT_PARTS;
  const ref = { ...own, accountId: account.accountId };
  const [positions, orders] = await Promise.all([
    deps.desk.positions(ref, { ...from.pace, freshMs: from.holdingsMs }),
    deps.desk.orders(ref, from.pace),
  ]);
  return { positions, orders };
}

function waitForSecurity(
  deps: PortfolioDeps,
  frame: PageFrame,
  { connectionId, instrument }: { readonly connectionId: string; readonly instrument: Part<Instrument | null> },
): Response {
  return deps.pages.page(
    frame,
    <PartFaults parts={{ instrument }} connectionId={connectionId} />,
    instrument.isPending ? { headers: { Refresh: String(RELOAD_SECONDS) } } : {},
  );
}

function unknownSecurity(deps: PortfolioDeps, page: OwnPage, { health, view }: Pick<SecurityFrom, "health" | "view">): Response {
  const { unknown } = texts.security;
  return deps.pages.page(
    frameOf(page, health, { title: unknown.title, view }),
    <>
      <EmptyState title={unknown.message(page.c.req.param("conid") ?? "")}>
        <p>{unknown.whatToDo}</p>
      </EmptyState>
      <SearchForm connectionId={health.connectionId} />
    </>,
    { status: 404 },
  );
}

async function showSearch(deps: PortfolioDeps, page: OwnPage, health: ConnectionHealth): Promise<Response> {
  const { c, user } = page;
  const { connectionId } = health;
  const query = plainText(c.req.query("q") ?? "", MAX_QUERY_LENGTH).trim();
  const stopped = stoppedState(health, deps.servesDemo);
  const frame = { ...frameOf(page, health, { title: texts.search.title, view: undefined }), lead: texts.search.lead };
  if (stopped !== undefined) return deps.pages.page(frame, <StoppedNotice state={stopped} connectionId={connectionId} />);
  const found = query === "" ? undefined : await deps.desk.search({ connectionId, userId: user.userId }, query);
  return deps.pages.page(
    frame,
    <SearchPage connectionId={connectionId} query={query} found={found} />,
    found?.isPending === true ? { headers: { Refresh: String(RELOAD_SECONDS) } } : {},
  );
}

function frameOf(
  { user }: OwnPage,
  health: ConnectionHealth,
  { title, view }: { readonly title: string; readonly view: SecurityView | undefined },
): PageFrame {
  const accountId = view?.accountId;
  return {
    ...consoleFrame(title, "connections", user),
    back: { href: portfolioPath(health.connectionId, { accountId }), label: texts.titleOf(plainText(health.label, MAX_NAME_LENGTH)) },
    heading: titleWithMode(title, health),
  };
}

function InstrumentLine({ instrument: { name, exchange, secType, currency } }: { readonly instrument: Instrument }) {
  const facts = [name, texts.security.kinds[secType], exchange, currency].filter((fact) => fact !== undefined && fact !== "");
  return <PlainName value={facts.join(" · ")} />;
}

function conidOf(c: PageRequest): number | undefined {
  const text = c.req.param("conid") ?? "";
  return CONID.test(text) ? Number(text) : undefined;
}
