import type { Child } from "hono/jsx";

import type { Account, AccountSummary, CashLedger, Mode, Position } from "../../broker/account.ts";
import type { OrderList, Trade } from "../../broker/order.ts";
import type { AccountPnl, Performance } from "../../broker/research.ts";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { portfolioTexts as texts } from "../../pages/texts/portfolio.ts";
import type { LivePart } from "../live-parts.ts";
import { AllocationPicture } from "./allocation-picture.tsx";
import { allocationOf } from "./allocation.ts";
import { CashTable } from "./cash-table.tsx";
import { Amount, Figure, Gain, NoFigure } from "./figures.tsx";
import { type Holding, holdingsOf, percentOf } from "./holdings.ts";
import { FillTable, OrderTable } from "./order-tables.tsx";
import { FAULTS_ID, PartFaults } from "./part-faults.tsx";
import { PositionTable } from "./position-table.tsx";
import { orderText, sortHoldings } from "./position-order.ts";
import { portfolioPath, type PortfolioView, securityPath, waitingForChart } from "./portfolio-address.ts";
import type { Part } from "./readings.ts";
import { ValuePanel } from "./value-panel.tsx";

/** What is read of an account. */
export interface PortfolioParts {
  readonly positions: Part<readonly Position[]>;
  readonly ledger: Part<CashLedger>;
  readonly summary: Part<AccountSummary>;
  readonly pnl: Part<AccountPnl>;
  readonly orders: Part<OrderList>;
  readonly trades: Part<readonly Trade[]>;
  readonly performance: Part<Performance>;
}

export interface PortfolioPageProps {
  readonly connectionId: string;
  readonly mode: Mode;
  readonly accounts: readonly Account[];
  readonly accountId: string;
  readonly view: PortfolioView;
  readonly parts: PortfolioParts;
  readonly now: number;
}

/** Positions of one page: sorting a longer list brings others to the front. */
const MAX_POSITIONS = 300;

/** Everything in one account. */
export function PortfolioPage(props: PortfolioPageProps) {
  const { connectionId, view, parts, now } = props;
  const live = new Map(portfolioParts(props).map(({ id, content }) => [id, content]));
  const events = portfolioPath(connectionId, { ...view, accountId: props.accountId }, "/events");
  return (
    <div class="stack portfolio" data-live={parts.performance.value === undefined ? waitingForChart(events) : events}>
      {props.accounts.length > 1 && <AccountChoice {...props} />}
      {live.get(FAULTS_ID)}
      {live.get("figures")}
      <div class="portfolio-row">
        <ValuePanel connectionId={connectionId} view={view} performance={parts.performance} now={now} />
        {live.get("allocation")}
      </div>
      {live.get("positions")}
      {live.get("cash")}
      {live.get("orders")}
      {live.get("fills")}
    </div>
  );
}

/** The parts that change while the page is open. */
export function portfolioParts(props: PortfolioPageProps): readonly LivePart[] {
  const { parts, connectionId, now, view } = props;
  const netValue = netValueOf(parts);
  const ledger = parts.ledger.value;
  const holdings = parts.positions.value === undefined ? undefined : holdingsOf(parts.positions.value, { ledger, netValue });
  const securityOf = (conid: number): string => securityPath(connectionId, conid, { accountId: view.accountId });
  const { orders, trades } = parts;
  return [
    { id: FAULTS_ID, content: <PartFaults parts={{ ...parts }} connectionId={connectionId} /> },
    { id: "figures", content: <FiguresPart {...props} /> },
    { id: "allocation", content: <AllocationPart holdings={holdings} ledger={ledger} /> },
    { id: "positions", content: <PositionsPart {...props} holdings={holdings} securityOf={securityOf} /> },
    {
      id: "cash",
      content: (
        <Section id="cash" heading={texts.cash.heading}>
          {ledger === undefined ? <Unavailable /> : <CashTable ledger={ledger} />}
        </Section>
      ),
    },
    {
      id: "orders",
      content: (
        <Section id="orders" heading={texts.orders.heading} note={texts.orders.caption}>
          {orders.value === undefined ? <Unavailable /> : <OrderTable orders={orders.value.orders} now={now} securityOf={securityOf} />}
        </Section>
      ),
    },
    {
      id: "fills",
      content: (
        <Section id="fills" heading={texts.fills.heading} note={texts.fills.caption}>
          {trades.value === undefined ? <Unavailable /> : <FillTable trades={trades.value} now={now} securityOf={securityOf} />}
        </Section>
      ),
    },
  ];
}

/** The account's figures come first; where they fail, profit and loss knows the value too. */
function netValueOf({ summary, pnl }: PortfolioParts) {
  return summary.value?.netLiquidationValue ?? pnl.value?.netLiquidationValue;
}

function AccountChoice({ accounts, accountId, connectionId, view }: PortfolioPageProps) {
  const sort = orderText(view.order);
  return (
    <form class="account-choice-row" method="get" action={portfolioPath(connectionId)}>
      <label for="account">{texts.account.label}</label>
      <select id="account" name="account">
        {accounts.map((account) => (
          <option value={account.accountId} selected={account.accountId === accountId}>
            {[account.accountId, account.title, account.baseCurrency].filter((part) => part !== undefined).join(" · ")}
          </option>
        ))}
      </select>
      <input type="hidden" name="period" value={view.period} />
      {sort !== undefined && <input type="hidden" name="sort" value={sort} />}
      <button type="submit" class="button secondary small">
        {texts.account.show}
      </button>
    </form>
  );
}

function FiguresPart({ parts, accountId, mode, now }: PortfolioPageProps) {
  const { summary, pnl, ledger } = parts;
  const names = texts.figures;
  const currency = summary.value?.currency ?? pnl.value?.currency ?? ledger.value?.baseCurrency ?? "";
  const netValue = netValueOf(parts);
  const daily = pnl.value?.daily;
  const before = netValue === undefined || daily === undefined ? undefined : netValue.minus(daily);
  const cash = ledger.value?.total?.cash ?? summary.value?.totalCash;
  const share = cash === undefined || netValue === undefined ? undefined : percentOf(cash, netValue);
  const readAt = [summary.readAt, pnl.readAt].filter((at) => at !== undefined);
  return (
    <section class="card figures-card" id="figures" aria-label={names.heading}>
      <dl class="figures">
        <Figure name={names.netValue} isMain note={<PlainName value={accountId} />}>
          <Amount value={netValue} currency={currency} /> <span class="figure-currency">{currency}</span>
        </Figure>
        <Figure name={names.dayPnl} note={pnl.value !== undefined && daily === undefined ? names.noDaily : undefined}>
          <Gain
            value={daily}
            currency={currency}
            percent={daily === undefined || before === undefined ? undefined : percentOf(daily, before)}
          />
        </Figure>
        <Figure name={names.unrealized}>
          <Gain value={pnl.value?.unrealized ?? ledger.value?.total?.unrealizedPnl} currency={currency} />
        </Figure>
        <Figure name={names.cash} note={share === undefined ? undefined : <CashShare share={share} />}>
          <Amount value={cash} currency={currency} />
        </Figure>
        <Figure name={names.buyingPower}>
          {summary.value === undefined ? <NoFigure /> : <Amount value={summary.value.buyingPower} currency={currency} />}
        </Figure>
      </dl>
      <p class="hint">
        {readAt.length > 0 && (
          <>
            {texts.asOf} <RelativeTime at={Math.min(...readAt)} now={now} />.{" "}
          </>
        )}
        {mode === "simulated" && texts.simulated}
        {mode === "paper" && texts.paper}
      </p>
    </section>
  );
}

function CashShare({ share }: { readonly share: NonNullable<ReturnType<typeof percentOf>> }) {
  return (
    <>
      {share.toFixed(1)}% {texts.figures.ofValue}
    </>
  );
}

function AllocationPart({
  holdings,
  ledger,
}: {
  readonly holdings: readonly Holding[] | undefined;
  readonly ledger: CashLedger | undefined;
}) {
  return (
    <Section id="allocation" heading={texts.allocation.heading}>
      {holdings === undefined ? <Unavailable /> : <AllocationPicture allocation={allocationOf(holdings, ledger?.total?.cash)} />}
    </Section>
  );
}

function PositionsPart({
  holdings,
  securityOf,
  view,
  connectionId,
}: PortfolioPageProps & { readonly holdings: readonly Holding[] | undefined; readonly securityOf: (conid: number) => string }) {
  const words = texts.positions;
  const all = holdings ?? [];
  const shown = sortHoldings(all, view.order).slice(0, MAX_POSITIONS);
  return (
    <Section id="positions" heading={words.heading} note={all.length > shown.length ? words.cut(shown.length, all.length) : undefined}>
      {holdings === undefined ? (
        <Unavailable />
      ) : holdings.length === 0 ? (
        <EmptyState title={words.empty.title}>
          <p>{words.empty.message}</p>
        </EmptyState>
      ) : (
        <PositionTable
          holdings={shown}
          order={view.order}
          sortedBy={(order) => portfolioPath(connectionId, { ...view, order })}
          securityOf={securityOf}
        />
      )}
    </Section>
  );
}

/** A box with its heading and what it is about. */
export function Section({
  id,
  heading,
  note,
  children,
}: {
  readonly id: string;
  readonly heading: string;
  readonly note?: Child;
  readonly children?: Child;
}) {
  return (
    <section class="card" id={id} aria-labelledby={`${id}-heading`}>
      <div class="card-head">
        <h2 id={`${id}-heading`}>{heading}</h2>
        {note !== undefined && <p class="hint">{note}</p>}
      </div>
      {children}
    </section>
  );
}

/** What stands where a part could not be read; why stands above. */
export function Unavailable() {
  return <p class="hint">{texts.unavailable}</p>;
}
