import type { Child } from "hono/jsx";

import { Badge } from "../../pages/components/badge.tsx";
import { Card } from "../../pages/components/card.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { orderTexts as texts } from "../../pages/texts/orders.ts";
import { draftText } from "../../trading/order-draft.ts";
import { unresolvedPath } from "../../trading/trading-errors.ts";
import type { UnresolvedOrder } from "../../trading/unresolved-orders.ts";
import { ConnectionName, type NamedConnection } from "../own-connections.tsx";

export interface OrdersPageProps {
  readonly orders: readonly UnresolvedOrder[];
  readonly connections: readonly NamedConnection[];
  readonly now: number;
}

/** A user's orders of unknown outcome, those that need a decision first. */
export function OrdersPage({ orders, connections, now }: OrdersPageProps) {
  if (orders.length === 0) {
    return (
      <EmptyState title={texts.empty.title}>
        <p>{texts.empty.text}</p>
      </EmptyState>
    );
  }
  const { columns } = texts;
  const titles = [columns.order, columns.state, columns.account, columns.connection, columns.sent];
  const sorted = orders.toSorted((a, b) => Number(b.state === "unresolved") - Number(a.state === "unresolved"));
  return (
    <Card label={texts.caption}>
      <DataTable
        caption={texts.caption}
        hidesCaption
        columns={titles.map((title) => ({ title }))}
        rows={sorted.map((order) => cellsOf(order, connections, now))}
      />
    </Card>
  );
}

function cellsOf(order: UnresolvedOrder, connections: readonly NamedConnection[], now: number): readonly Child[] {
  return [
    <a href={unresolvedPath(order.requestId)}>
      <PlainName value={draftText(order.draft)} />
    </a>,
    <Badge tone={order.state === "unresolved" ? "bad" : "working"}>{texts.openStates[order.state]}</Badge>,
    <PlainName value={order.accountId} />,
    <ConnectionName connection={connections.find(({ id }) => id === order.connectionId)} gone={texts.goneConnection} />,
    <RelativeTime at={order.sentAt} now={now} />,
  ];
}
