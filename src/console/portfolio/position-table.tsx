import type { Child } from "hono/jsx";

import { Decimal } from "../../lib/decimal.ts";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { Amount, Gain, NoFigure, Price } from "./figures.tsx";
import { descriptionOf, type Holding, HOLDING_CLASSES, type HoldingClass } from "./holdings.ts";
import { percentText, quantityText } from "./number-text.ts";
import { nextOrder, type PositionOrder, SORT_KEYS, type SortKey } from "./position-order.ts";

const texts = portfolioTexts.positions;
const NUMERIC: ReadonlySet<SortKey> = new Set(["quantity", "average", "price", "value", "pnl", "share"]);

export interface PositionTableProps {
  /** In their order. */
  readonly holdings: readonly Holding[];
  readonly order: PositionOrder;
  /** The address of the page in another order. */
  readonly sortedBy: (order: PositionOrder) => string;
  readonly securityOf: (conid: number) => string;
}

/** Positions by class, sorted by any column through links. */
export function PositionTable(props: PositionTableProps) {
  return (
    <table class="data positions" role="table">
      <caption class="visually-hidden">{texts.caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {SORT_KEYS.map((key) => (
            <SortHeading sortKey={key} {...props} />
          ))}
        </tr>
      </thead>
      {HOLDING_CLASSES.map((holdingClass) => {
        const holdings = props.holdings.filter((holding) => holding.holdingClass === holdingClass);
        return holdings.length === 0 ? undefined : (
          <ClassRows holdingClass={holdingClass} holdings={holdings} securityOf={props.securityOf} />
        );
      })}
    </table>
  );
}

function SortHeading({ sortKey, order, sortedBy }: { readonly sortKey: SortKey } & PositionTableProps) {
  const isChosen = order.key === sortKey;
  const direction = order.isDescending ? "descending" : "ascending";
  return (
    <th role="columnheader" scope="col" class={NUMERIC.has(sortKey) ? "numeric" : undefined} aria-sort={isChosen ? direction : undefined}>
      <a href={`${sortedBy(nextOrder(order, sortKey))}#positions`} id={`sort-${sortKey}`} title={texts.sortBy(texts.columns[sortKey])}>
        {texts.columns[sortKey]}
        {isChosen && (
          <span class="sort-sign" aria-hidden="true">
            {order.isDescending ? "↓" : "↑"}
          </span>
        )}
      </a>
    </th>
  );
}

function ClassRows({
  holdingClass,
  holdings,
  securityOf,
}: {
  readonly holdingClass: HoldingClass;
  readonly holdings: readonly Holding[];
  readonly securityOf: PositionTableProps["securityOf"];
}) {
  const shares = holdings.flatMap(({ share }) => (share === undefined ? [] : [share]));
  return (
    <tbody role="rowgroup">
      <tr role="row" class="class-row">
        <th role="rowheader" scope="rowgroup" colspan={SORT_KEYS.length - 1}>
          {portfolioTexts.classes[holdingClass]} <span class="class-count">{texts.count(holdings.length)}</span>
        </th>
        <td role="cell" class="numeric">
          {shares.length === holdings.length ? percentText(Decimal.sum(shares), 1) : ""}
        </td>
      </tr>
      {holdings.map((holding) => (
        <tr role="row">
          <th role="rowheader" scope="row">
            <div>
              <SecurityName holding={holding} href={securityOf(holding.position.conid)} />
            </div>
          </th>
          {SORT_KEYS.slice(1).map((key) => (
            <td
              role="cell"
              class={`${NUMERIC.has(key) ? "numeric " : ""}cell-${key}`}
              data-label={key === "share" ? texts.shortShare : texts.columns[key]}
            >
              <div>{cellOf(holding, key)}</div>
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

function SecurityName({ holding: { position }, href }: { readonly holding: Holding; readonly href: string }) {
  const { symbol, conid } = position;
  const description = descriptionOf(position);
  return (
    <>
      <a href={href} id={`position-${conid}`}>
        <PlainName value={symbol} />
      </a>
      {description !== undefined && (
        <span class="hint cell-note">
          <PlainName value={description} />
        </span>
      )}
    </>
  );
}

function cellOf({ position, share, pnlPercent }: Holding, key: SortKey): Child {
  const { quantity, averagePrice, marketPrice, marketValue, unrealizedPnl, currency } = position;
  switch (key) {
    case "symbol":
      return <PlainName value={position.symbol} />;
    case "quantity":
      return quantityText(quantity);
    case "average":
      return <Price value={averagePrice} />;
    case "price":
      return <Price value={marketPrice} />;
    case "value":
      return <Amount value={marketValue} currency={currency} />;
    case "pnl":
      return <Gain value={unrealizedPnl} currency={currency} percent={pnlPercent} />;
    case "currency":
      return <PlainName value={currency} />;
    case "share":
      return share === undefined ? <NoFigure /> : percentText(share, 1);
  }
}
