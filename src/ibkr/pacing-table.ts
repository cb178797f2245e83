/** At most `requests` within `perMs`; with `perMs` 0, at most `requests` at once. */
export interface PacingLimit {
  readonly requests: number;
  readonly perMs: number;
}

/** Which of IBKR's two faces requests go to; their limits differ. */
export type Face = "oauth" | "gateway";

/**
 * What one user may send in all. IBKR allows 50 requests a second by OAuth and 10 through a Client Portal Gateway; we use
 * four fifths, so that other programs of the user fit beside us.
 */
export const GLOBAL_LIMITS: Readonly<Record<Face, PacingLimit>> = {
  oauth: { requests: 40, perMs: 1000 },
  gateway: { requests: 8, perMs: 1000 },
};

/** IBKR's limits by endpoint (a path with its variable parts named), those above one a second at four fifths. */
export const ENDPOINT_LIMITS: Readonly<Record<string, PacingLimit>> = {
  "/iserver/marketdata/snapshot": { requests: 8, perMs: 1000 },
  "/iserver/marketdata/history": { requests: 4, perMs: 0 },
  "/iserver/scanner/params": { requests: 1, perMs: 900_000 },
  "/iserver/scanner/run": { requests: 1, perMs: 1000 },
  "/iserver/account/trades": { requests: 1, perMs: 5000 },
  "/iserver/account/orders": { requests: 1, perMs: 5000 },
  "/iserver/account/pnl/partitioned": { requests: 1, perMs: 5000 },
  "/portfolio/accounts": { requests: 1, perMs: 5000 },
  "/portfolio/subaccounts": { requests: 1, perMs: 5000 },
  "/pa/performance": { requests: 1, perMs: 900_000 },
  "/pa/summary": { requests: 1, perMs: 900_000 },
  "/pa/allperiods": { requests: 1, perMs: 900_000 },
  "/pa/transactions": { requests: 1, perMs: 900_000 },
  "/sso/validate": { requests: 1, perMs: 60_000 },
  "/tickle": { requests: 1, perMs: 1000 },
};
