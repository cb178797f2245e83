import type { Child } from "hono/jsx";

import type { Order, Trade } from "../../broker/order.ts";
import { Badge, type BadgeTone } from "../../pages/components/badge.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { Amount, NoFigure } from "./figures.tsx";
import { priceText, quantityText } from "./number-text.ts";

/** Rows of each list: a very busy day has more, which the tools answer page by page. */
const MAX_ROWS = 100;

interface Shared {
  readonly now: number;
  readonly securityOf: (conid: number) => string;
}

/** Orders of today and those still working, the newest first. */
export function OrderTable({ orders, now, securityOf }: Shared & { readonly orders: readonly Order[] }) {
  const texts = portfolioTexts.orders;
  if (orders.length === 0) return <p class="hint">{texts.empty}</p>;
  const { columns } = texts;
  const shown = orders.toSorted((a, b) => (b.lastUpdateAt ?? 0) - (a.lastUpdateAt ?? 0)).slice(0, MAX_ROWS);
  return (
    <DataTable
      caption={texts.caption}
      hidesCaption
      columns={[
        { title: columns.symbol },
        { title: columns.side },
        { title: columns.quantity, numeric: true },
        { title: columns.type },
        { title: columns.tif },
        { title: columns.status },
        { title: columns.at },
      ]}
      rows={shown.map((order): readonly Child[] => [
        <Symbol id={`order-${order.orderId}`} symbol={order.symbol} conid={order.conid} securityOf={securityOf} />,
        order.side === undefined ? <NoFigure /> : texts.sides[order.side],
        filledText(order),
        <OrderKind order={order} />,
        order.timeInForce ?? <NoFigure />,
        <OrderState order={order} />,
        order.lastUpdateAt === undefined ? <NoFigure /> : <RelativeTime at={order.lastUpdateAt} now={now} />,
      ])}
    />
  );
}

/** Executions of today, the newest first. */
export function FillTable({ trades, now, securityOf }: Shared & { readonly trades: readonly Trade[] }) {
  const texts = portfolioTexts.fills;
  if (trades.length === 0) return <p class="hint">{texts.empty}</p>;
  const { columns } = texts;
  return (
    <DataTable
      caption={texts.caption}
      hidesCaption
      columns={[
        { title: columns.symbol },
        { title: columns.side },
        { title: columns.quantity, numeric: true },
        { title: columns.price, numeric: true },
        { title: columns.commission, numeric: true },
        { title: columns.at },
      ]}
      rows={trades
        .toSorted((a, b) => b.at - a.at)
        .slice(0, MAX_ROWS)
        .map((trade): readonly Child[] => [
          <Symbol id={`fill-${trade.executionId}`} symbol={trade.symbol} conid={trade.conid} securityOf={securityOf} />,
          trade.side === undefined ? <NoFigure /> : portfolioTexts.orders.sides[trade.side],
          quantityText(trade.quantity),
          `${priceText(trade.price)} ${trade.currency ?? ""}`.trimEnd(),
          <Amount value={trade.commission} currency={trade.currency ?? ""} />,
          <FillTime trade={trade} now={now} />,
        ])}
    />
  );
}

/** IBKR tells some executions without their time. */
function FillTime({ trade, now }: { readonly trade: Trade; readonly now: number }) {
  const time = <RelativeTime at={trade.at} now={now} />;
  if (!trade.isTimeApproximate) return time;
  return (
    <>
      {portfolioTexts.fills.about} {time}
    </>
  );
}

interface SymbolProps {
  readonly id: string;
  readonly symbol: string | undefined;
  readonly conid: number;
  readonly securityOf: Shared["securityOf"];
}

function Symbol({ id, symbol, conid, securityOf }: SymbolProps) {
  return (
    <a href={securityOf(conid)} id={id}>
      <PlainName value={symbol ?? String(conid)} />
    </a>
  );
}

function filledText({ filledQuantity, quantity }: Order): string {
  const text = (value: Order["quantity"]) => (value === undefined ? portfolioTexts.none : quantityText(value));
  return portfolioTexts.orders.filled(text(filledQuantity), text(quantity));
}

function OrderKind({ order }: { readonly order: Order }) {
  const texts = portfolioTexts.orders;
  const { orderType, limitPrice, stopPrice, currency, outsideRth } = order;
  const prices = [
    ...(stopPrice === undefined ? [] : [texts.stop(priceText(stopPrice))]),
    ...(limitPrice === undefined ? [] : [texts.at(priceText(limitPrice))]),
  ];
  return (
    <>
      <PlainName value={`${orderType} ${prices.join(", ")}`} /> {prices.length > 0 && (currency ?? "")}
      {outsideRth === true && <span class="hint cell-note">{texts.outsideRth}</span>}
    </>
  );
}

const TONES: Partial<Readonly<Record<Order["status"], BadgeTone>>> = {
  Filled: "good",
  Submitted: "working",
  PreSubmitted: "working",
  PendingSubmit: "working",
  PendingCancel: "working",
  PreCancelled: "working",
  Inactive: "warn",
  WarnState: "warn",
  Unknown: "warn",
};

function OrderState({ order: { status, statusDescription } }: { readonly order: Order }) {
  return (
    <>
      <Badge tone={TONES[status] ?? "neutral"}>{status}</Badge>
      {statusDescription !== undefined && statusDescription !== status && (
        <span class="hint cell-note">
          <PlainName value={statusDescription} />
        </span>
      )}
    </>
  );
}
