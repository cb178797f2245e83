import type { Child } from "hono/jsx";

import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { orderTexts as texts } from "../../pages/texts/orders.ts";
import { findOrderRequestById } from "../../storage/order-requests.ts";
import { leavingOrders, type Senders } from "../../storage/order-sends.ts";
import type { Storage } from "../../storage/storage.ts";
import { draftText, parseDraft } from "../../trading/order-draft.ts";
import { unresolvedPath } from "../../trading/trading-errors.ts";
import type { OwnPage } from "../console-visits.ts";

/** Most orders that are named. */
const MAX_NAMED = 5;
const NAME = "left";
const IDS = /^ord_\w{1,64}(?:\.ord_\w{1,64}){0,5}$/;

/**
 * Looks which orders a revocation or pause that has just been committed came too late for. Returns what the address of the next
 * page carries: an order may have its end by then, and is named all the same.
 */
export async function leavingQuery(storage: Storage, userId: string, senders: Senders): Promise<string> {
  const ids = await leavingOrders(storage.db, { userId, senders, limit: MAX_NAMED + 1 });
  return ids.length === 0 ? "" : `&${NAME}=${ids.join(".")}`;
}

/** Names the orders that left before the change that led to this page; undefined where there are none. */
export async function leavingNotice(storage: Storage, { c, user }: OwnPage): Promise<Child | undefined> {
  const carried = c.req.query(NAME) ?? "";
  if (!IDS.test(carried)) return undefined;
  const ids = carried.split(".");
  const rows = await Promise.all(ids.slice(0, MAX_NAMED).map((id) => findOrderRequestById(storage.db, user.userId, id)));
  const own = rows.filter((row) => row !== undefined);
  if (own.length === 0) return undefined;
  return (
    <Notice tone="warning">
      <p>
        {ids.length > MAX_NAMED ? texts.leaving.many(ids.length) : texts.leaving.text(own.length)}{" "}
        {own.map(({ id, ticket }, index) => (
          <>
            {index > 0 && ", "}
            <a href={unresolvedPath(id)}>
              <PlainName value={draftText(parseDraft(ticket))} />
            </a>
          </>
        ))}
      </p>
    </Notice>
  );
}
