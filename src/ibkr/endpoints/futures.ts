import { z } from "zod";

import type { Future } from "../../broker/research.ts";
import type { ApiRequest } from "../transport.ts";
import { isoDate } from "./codes.ts";
import { integer, listOf, text } from "./reply.ts";

/** `GET /trsrv/futures`: all futures that aren't expired, by root symbol. */
export function futuresRequest(symbols: readonly string[]): ApiRequest {
  return { method: "GET", path: "/trsrv/futures", endpoint: "/trsrv/futures", query: { symbols: symbols.join(",") } };
}

/** Futures by root symbol; dates are numbers such as 20261218. */
export const futuresReply = z.record(
  z.string(),
  listOf(z.looseObject({ symbol: text, conid: integer, underlyingConid: integer, expirationDate: text, ltd: text })),
);

/** Reads the futures of a symbol into our terms, nearest first. */
export function toFutures(rows: z.output<typeof futuresReply>[string], symbol: string): Future[] {
  const futures = rows.flatMap((row): Future[] => {
    const expiry = isoDate(row.expirationDate) ?? isoDate(row.ltd);
    if (row.conid === undefined || expiry === undefined) return [];
    return [
      {
        conid: row.conid,
        symbol: row.symbol ?? symbol,
        underlyingConid: row.underlyingConid === 0 ? undefined : row.underlyingConid,
        expiry,
        lastTradingDay: isoDate(row.ltd),
      },
    ];
  });
  return futures.toSorted((a, b) => a.expiry.localeCompare(b.expiry));
}
