import type { CashLedger, Position } from "../../broker/account.ts";
import type { Instrument } from "../../broker/instrument.ts";
import type { History, Quote } from "../../broker/market-data.ts";
import type { OrderList } from "../../broker/order.ts";
import type { MarketHours } from "../../broker/research.ts";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import type { LivePart } from "../live-parts.ts";
import { Amount, Figure, Gain, Price } from "./figures.tsx";
import { holdingsOf } from "./holdings.ts";
import { quantityText } from "./number-text.ts";
import { OrderTable } from "./order-tables.tsx";
import { FAULTS_ID, PartFaults } from "./part-faults.tsx";
import { Section, Unavailable } from "./portfolio-page.tsx";
import { securityPath, type SecurityView, waitingForChart } from "./portfolio-address.ts";
import { PricePanel } from "./price-panel.tsx";
import { QuotePanel } from "./quote-panel.tsx";
import { EMPTY_PART, type Part } from "./readings.ts";

const texts = portfolioTexts.security;

/** What is read of a security, and of what the account has to do with it. */
export interface SecurityParts {
  readonly quote: Part<Quote | null>;
  readonly history: Part<History>;
  readonly marketHours: Part<MarketHours>;
  readonly positions: Part<readonly Position[]>;
  readonly orders: Part<OrderList>;
}

export interface SecurityPageProps {
  readonly connectionId: string;
  readonly isSimulated: boolean;
  readonly instrument: Instrument;
  readonly view: SecurityView;
  readonly parts: SecurityParts;
  readonly now: number;
}

/** A security: its quote, its prices over time, and what of it is held and ordered. */
export function SecurityPage(props: SecurityPageProps) {
  const { connectionId, instrument, view, parts, now } = props;
  const { conid } = instrument;
  const live = new Map(securityParts(props).map(({ id, content }) => [id, content]));
  const events = securityPath(connectionId, conid, view, "/events");
  return (
    <div class="stack portfolio" data-live={parts.history.value === undefined ? waitingForChart(events) : events}>
      {live.get(FAULTS_ID)}
      {live.get("quote")}
      <PricePanel connectionId={connectionId} conid={conid} view={view} history={parts.history} now={now} />
      {live.get("position")}
      {live.get("orders")}
    </div>
  );
}

/** The parts that change while the page is open. */
export function securityParts(props: SecurityPageProps): readonly LivePart[] {
  const { parts, connectionId, now, instrument } = props;
  // Some kinds of contracts have no hours at the broker: that is no fault of the page.
  const { marketHours, ...told } = parts;
  const { quote } = parts;
  return [
    { id: FAULTS_ID, content: <PartFaults parts={told} connectionId={connectionId} /> },
    {
      id: "quote",
      content: (
        <Section id="quote" heading={texts.quote} note={props.isSimulated ? portfolioTexts.simulated : undefined}>
          {quote.value === undefined ? (
            <Unavailable />
          ) : quote.value === null ? (
            <p class="hint">{texts.noQuote}</p>
          ) : (
            <QuotePanel quote={quote.value} hours={marketHours.value} now={now} />
          )}
        </Section>
      ),
    },
    { id: "position", content: <PositionPart positions={parts.positions} conid={instrument.conid} /> },
    {
      id: "orders",
      content: (
        <Section id="orders" heading={texts.orders} note={portfolioTexts.orders.caption}>
          {parts.orders.value === undefined ? (
            <Unavailable />
          ) : (
            <OrderTable
              orders={parts.orders.value.orders.filter(({ conid }) => conid === instrument.conid)}
              now={now}
              securityOf={(conid) => securityPath(connectionId, conid, props.view)}
            />
          )}
        </Section>
      ),
    },
  ];
}

const NO_RATES: { readonly ledger: CashLedger | undefined; readonly netValue: undefined } = { ledger: undefined, netValue: undefined };

function PositionPart({ positions, conid }: { readonly positions: Part<readonly Position[]>; readonly conid: number }) {
  const holding = holdingsOf(positions.value ?? [], NO_RATES).find(({ position }) => position.conid === conid);
  const names = portfolioTexts.positions.columns;
  return (
    <Section id="position" heading={texts.position}>
      {positions.value === undefined ? (
        <Unavailable />
      ) : holding === undefined ? (
        <p class="hint">{texts.noPosition}</p>
      ) : (
        <dl class="figures">
          <Figure name={names.quantity}>{quantityText(holding.position.quantity)}</Figure>
          <Figure name={names.average}>
            <Price value={holding.position.averagePrice} />
          </Figure>
          <Figure name={names.price}>
            <Price value={holding.position.marketPrice} />
          </Figure>
          <Figure name={`${names.value} (${holding.position.currency})`}>
            <Amount value={holding.position.marketValue} currency={holding.position.currency} />
          </Figure>
          <Figure name={names.pnl}>
            <Gain value={holding.position.unrealizedPnl} currency={holding.position.currency} percent={holding.pnlPercent} />
          </Figure>
        </dl>
      )}
    </Section>
  );
}

/** The parts of a security in no account. */
export const NO_ACCOUNT_PARTS: Pick<SecurityParts, "positions" | "orders"> = { positions: EMPTY_PART, orders: EMPTY_PART };
