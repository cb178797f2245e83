import type { ConnectionHealth } from "../../connections/connections.ts";
import { plainText } from "../../lib/plain-text.ts";
import { Notice } from "../../pages/components/notice.tsx";
import { orderTexts } from "../../pages/texts/orders.ts";
import type { OpenOrders } from "../../storage/order-requests.ts";
import { ORDERS_PATH } from "../orders/order-handlers.tsx";
import { connectionPath } from "./connection-paths.ts";

const MAX_REASON = 300;
const { notices, stopped } = orderTexts;

/** Orders of a connection that need its owner: stopped by the gateway, or of unknown outcome. */
export function OrdersNotice({ health, open }: { readonly health: ConnectionHealth; readonly open: OpenOrders }) {
  const { ordersStopped, connectionId } = health;
  return (
    <>
      {ordersStopped !== undefined && (
        <Notice tone="error" isQuiet title={stopped.title}>
          <p>{plainText(ordersStopped.because, MAX_REASON)}</p>
          <p>
            {stopped.next} <a href={connectionPath(connectionId, "resume-orders")}>{stopped.open}</a>
          </p>
        </Notice>
      )}
      {open.unresolved > 0 && (
        <Notice tone="warning" isQuiet title={notices.decide(open.unresolved)}>
          <p>
            {notices.decideText(open.unresolved)} <a href={ORDERS_PATH}>{notices.decideLink(open.unresolved)}</a>
          </p>
        </Notice>
      )}
      {open.unknown > 0 && (
        <p class="hint">
          <a href={ORDERS_PATH}>{notices.looking(open.unknown)}</a>
        </p>
      )}
    </>
  );
}
