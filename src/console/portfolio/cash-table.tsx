import type { Child } from "hono/jsx";

import type { CashBalance, CashLedger } from "../../broker/account.ts";
import { DataTable } from "../../pages/components/data-table.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { Amount, Gain } from "./figures.tsx";

const texts = portfolioTexts.cash;

/** Cash by currency, and all of it in the base currency. */
export function CashTable({ ledger }: { readonly ledger: CashLedger }) {
  const { columns } = texts;
  if (ledger.balances.length === 0 && ledger.total === undefined) return <p class="hint">{texts.empty}</p>;
  return (
    <DataTable
      caption={texts.heading}
      hidesCaption
      columns={[
        { title: columns.currency },
        { title: columns.cash, numeric: true },
        { title: columns.settled, numeric: true },
        { title: columns.netValue, numeric: true },
        { title: columns.unrealized, numeric: true },
        { title: columns.interest, numeric: true },
      ]}
      rows={[
        ...ledger.balances.map((balance) => cellsOf(<PlainName value={balance.currency} />, balance, balance.currency)),
        ...(ledger.total === undefined
          ? []
          : [
              cellsOf(
                <strong>
                  {texts.total} {ledger.baseCurrency}
                </strong>,
                ledger.total,
                ledger.baseCurrency,
              ),
            ]),
      ]}
    />
  );
}

function cellsOf(name: Child, balance: CashBalance, currency: string): readonly Child[] {
  const { cash, settledCash, netLiquidationValue, unrealizedPnl, interest } = balance;
  return [
    name,
    <Amount value={cash} currency={currency} />,
    <Amount value={settledCash} currency={currency} />,
    <Amount value={netLiquidationValue} currency={currency} />,
    <Gain value={unrealizedPnl} currency={currency} />,
    <Amount value={interest} currency={currency} />,
  ];
}
