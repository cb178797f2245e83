/** Kinds of requests, few enough to be labels of figures. */
export const ENDPOINT_CLASSES = [
  "session",
  "orders",
  "order_reads",
  "portfolio",
  "performance",
  "quotes",
  "history",
  "scanner",
  "contracts",
  "other",
] as const;

export type EndpointClass = (typeof ENDPOINT_CLASSES)[number];

/** Why a caller was told to come later: it would have waited too long, it had too many waiting, all had, or its time ran out. */
export type LimitReason = "wait" | "caller_queue" | "queue" | "expired";

/** Hears what pacing does, for figures. Never learns of whom. */
export interface PacingObserver {
  /** A request was sent after it had waited for so long. */
  sent(about: { readonly endpointClass: EndpointClass; readonly urgent: boolean; readonly waitedMs: number }): void;
  /** IBKR answered 429. */
  refused(endpointClass: EndpointClass): void;
  /** A caller was given `rate_limited`. */
  limited(reason: LimitReason): void;
}

/** Hears nothing. */
export const DEAF_OBSERVER: PacingObserver = { sent: () => undefined, refused: () => undefined, limited: () => undefined };

const CLASSES: readonly (readonly [RegExp, EndpointClass])[] = [
  [/^\/(oauth|sso|tickle|logout|ws|iserver\/(auth|accounts$|account$|reauthenticate))/, "session"],
  [/^\/iserver\/account\/(orders|trades|order\/status|pnl)/, "order_reads"],
  [/^\/iserver\/(account\/\{[^}]*\}\/order|reply|questions|notification)/, "orders"],
  [/^\/(portfolio2?|iserver\/account\/\{[^}]*\}\/summary)/, "portfolio"],
  [/^\/pa\//, "performance"],
  [/^\/iserver\/marketdata\/history/, "history"],
  [/^\/iserver\/marketdata/, "quotes"],
  [/^\/iserver\/scanner/, "scanner"],
  [/^\/(trsrv|iserver\/(secdef|contract|currency|exchangerate))/, "contracts"],
];

/** The kind of an endpoint, a path with its variable parts named. */
export function endpointClassOf(endpoint: string): EndpointClass {
  return CLASSES.find(([pattern]) => pattern.test(endpoint))?.[1] ?? "other";
}
