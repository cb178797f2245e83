import { z } from "zod";

import type { HealthFault, LayerHealth } from "../broker/health.ts";
import type { ConnectionHealth } from "../connections/connections.ts";
import { GatewayError } from "../lib/errors.ts";
import { defineOfflineTool } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, isoTime, outputSchema } from "./envelope.ts";

/** How a connection is, in one word. */
type ConnectionStatus =
  | "ready"
  | "idle"
  | "not_checked"
  | "opening"
  | "trying_again"
  | "competing"
  | "logged_out"
  | "failing"
  | "paused"
  | "frozen";

const SENTENCES: Readonly<Record<ConnectionStatus, string>> = {
  ready: "the session is open",
  idle: "it worked when it was used last, and opens at the next call",
  not_checked: "nobody has used it yet; it opens at the first call",
  opening: "the session is being opened",
  trying_again: "the session is down, and the gateway tries again by itself",
  competing: "another login of the same IBKR user holds the one session that IBKR gives it",
  logged_out: "nobody is logged in at the broker",
  failing: "the last attempt to open it failed",
  paused: "its owner paused it",
  frozen: "the broker proved another kind of account than it was made for, so nothing is sent",
};

/** What mends a status that no fault explains. */
const REMEDIES: Readonly<Partial<Record<ConnectionStatus, string>>> = {
  competing: "Ask the user to log out of the other program (TWS, the phone), or to take the session over in the gateway's console.",
  logged_out: "Ask the user to log in again; the gateway's console shows where.",
  paused: "Ask the user to resume the connection in the gateway's console.",
  frozen: "Ask the user to set the connection up anew in the gateway's console.",
  opening: "Try again in some seconds.",
  trying_again: "Wait until retry_at, then try again.",
};

const ORDERS_STOPPED =
  "The gateway stopped orders on this connection. Its owner must check the account's orders at IBKR, then resume orders on the connection's page. Reason:";

/** `get_connection_status`: how the connection is, layer by layer, without asking the broker. */
export const tool = defineOfflineTool({
  name: "get_connection_status",
  title: "Get the connection's status",
  description: "Whether the connection to IBKR works, which layer is down, and what to do; answers also when it is down. Example: {}",
  scope: "read",
  annotations: READS,
  needsBroker: false,
  input: z.strictObject({}),
  outputSchema: outputSchema({ status: "text", what_to_do: "text", layers: "rows", note: "text" }),
  async run(_args, context) {
    const health = await context.connectionHealth();
    if (health === undefined) {
      throw new GatewayError("connection_not_ready", "This connection no longer exists.", {
        whatToDo: "Use a key of a connection that exists.",
      });
    }
    const { link, mode } = health;
    const status = statusOf(health);
    const fault = faultOf(health, status);
    const remedy = fault?.whatToDo ?? REMEDIES[status];
    const isProven = link.provenMode === mode;
    return completeAnswer(
      { clock: context.clock, broker: { mode } },
      {
        text: `${health.label} (${mode}): ${SENTENCES[status]}.${fault === undefined ? "" : ` ${fault.message}`}${remedy === undefined ? "" : ` ${remedy}`}`,
        notes: [
          health.ordersStopped === undefined ? undefined : `${ORDERS_STOPPED} ${health.ordersStopped.because}`.trim(),
          isProven ? undefined : "The mode is what the connection was made for; the broker proves it when the session opens.",
          health.sharesUserNameWith.length > 0 || health.sharedWithOthers
            ? "Another connection uses the same IBKR user name: the two take the one session from each other."
            : undefined,
        ],
        body: {
          status,
          since: isoTime(sinceOf(health, status)),
          label: health.label,
          kind: health.kind,
          mode_is_proven: isProven,
          user_name: link.userName ?? health.userName,
          verified_at: timeOf(link.verifiedAt ?? health.verifiedAt),
          retry_at: timeOf(link.retryAt),
          trading_enabled: mode === "live" ? health.liveTradingEnabledAt !== undefined : undefined,
          reason: fault?.message ?? (status === "frozen" ? health.frozenBecause : undefined),
          what_to_do: remedy,
          link: fault?.link,
          layers: link.layers.map(layerRow),
        },
      },
    );
  },
});

function statusOf({ link, pausedAt, frozenAt, lastFault, verifiedAt }: ConnectionHealth): ConnectionStatus {
  if (frozenAt !== undefined) return "frozen";
  if (pausedAt !== undefined) return "paused";
  switch (link.state) {
    case "established":
      return "ready";
    case "backing_off":
      return "trying_again";
    case "closed":
      if (lastFault !== undefined) return "failing";
      return verifiedAt === undefined ? "not_checked" : "idle";
    case "opening":
    case "competing":
    case "logged_out":
    case "frozen":
      return link.state;
  }
}

/** What explains the status: the failure of the lowest layer that is down, else that of the last opening. */
function faultOf({ link, lastFault }: ConnectionHealth, status: ConnectionStatus): HealthFault | undefined {
  const down = link.layers.find(({ state, lastError }) => (state === "down" || state === "waiting") && lastError !== undefined);
  if (status === "paused") return undefined;
  return down?.lastError ?? (status === "ready" || status === "idle" ? undefined : lastFault);
}

function sinceOf({ link, pausedAt, frozenAt }: ConnectionHealth, status: ConnectionStatus): number {
  if (status === "paused") return pausedAt ?? link.since;
  return status === "frozen" ? (frozenAt ?? link.since) : link.since;
}

function layerRow({ layer, state, since, lastError }: LayerHealth) {
  return {
    layer,
    state,
    since: isoTime(since),
    last_error:
      lastError === undefined
        ? undefined
        : {
            code: lastError.code,
            message: lastError.message,
            what_to_do: lastError.whatToDo,
            link: lastError.link,
            at: isoTime(lastError.at),
          },
  };
}

function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : isoTime(at);
}
