import { isRecord } from "../../lib/json.ts";
import { failure, ok, refusal } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { ofAccount } from "../trading/order-access.ts";
import type { AccountRequest } from "../trading/order-access.ts";
import { conditionRows, isTriggered, readAlert } from "./alert.ts";
import type { Documents, StoredDocument } from "./documents.ts";

const FIRST_ALERT_ID = 9_876_500_001;
const ASSISTANT_ID = 9_876_000_000;
const UNAVAILABLE = failure(503, "Service Unavailable");

/** What alerts stand on. */
export interface AlertRoutesOptions {
  readonly documents: Documents;
  /** True refuses to make alerts with 403, as IBKR does for paper users over OAuth. */
  readonly refused: boolean;
}

/** Makes the endpoints of alerts (reference H.1). */
export function createAlertRoutes({ documents, refused }: AlertRoutesOptions): readonly Route[] {
  let assistantReads = 0;

  /** An account's alerts, those whose conditions have come true marked for good. */
  function alertsOf(accountId: string, now: number, { market }: Simulation): readonly StoredDocument[] {
    return documents.list("alert", accountId).map((alert) => {
      const { active, triggered, createdAt } = alert.body;
      if (active !== 1 || triggered === true || !isTriggered(alert.body, { market, since: Number(createdAt), now })) return alert;
      const marked = triggeredForm(alert);
      documents.put("alert", accountId, marked);
      return marked;
    });
  }

  const list = ofAccount(({ accountId, request, simulation }) =>
    ok(alertsOf(accountId, request.now, simulation).map((alert) => listRow(alert, accountId))),
  );

  const save = ofAccount(({ accountId, request }: AccountRequest): SimReply => {
    if (refused) return failure(403, "Forbidden");
    const read = readAlert(request.body);
    if ("problem" in read) return failure(read.status, read.problem);
    const { alert } = read;
    const known = alert["orderId"] === undefined ? undefined : documents.get("alert", accountId, Number(alert["orderId"]));
    if (alert["orderId"] !== undefined && known === undefined) return UNAVAILABLE;
    if (known !== undefined && known.body["alertName"] !== alert["alertName"]) return failure(500, "Alert name cannot be modified");
    const id = known?.id ?? documents.nextId("alert", FIRST_ALERT_ID);
    const body = { ...alert, active: 1, triggered: false, createdAt: request.now };
    if (!documents.put("alert", accountId, { id, body })) return UNAVAILABLE;
    return ok({ request_id: null, order_id: id, success: true, text: "Submitted", order_status: null, warning_message: null });
  });

  const activate = ofAccount(({ accountId, request }: AccountRequest): SimReply => {
    const { alertId, alertActive } = isRecord(request.body) ? request.body : {};
    const known = documents.get("alert", accountId, Number(alertId));
    if (known === undefined || (alertActive !== 0 && alertActive !== 1)) return UNAVAILABLE;
    documents.put("alert", accountId, { ...known, body: { ...known.body, active: alertActive } });
    return submitted(known.id);
  });

  const remove = ofAccount(({ accountId, request }: AccountRequest): SimReply => {
    const id = Number(request.params["alertId"]);
    const meant = documents.list("alert", accountId).filter((alert) => id === 0 || alert.id === id);
    if (meant.length === 0 && id !== 0) return UNAVAILABLE;
    for (const alert of meant) documents.remove("alert", accountId, alert.id);
    return submitted(id);
  });

  function details({ params, query, now }: SimRequest, { user }: Session, simulation: Simulation): SimReply {
    if (query.get("type") !== "Q") return failure(400, "Bad Request: orderId and type are required");
    const id = Number(params["alertId"]);
    for (const accountId of user.accountIds) {
      const found = alertsOf(accountId, now, simulation).find((alert) => alert.id === id);
      if (found !== undefined) return ok(detailsOf(found, accountId, simulation));
    }
    return refusal(`Order ${params["alertId"]} not found.`);
  }

  function assistant(_request: SimRequest, { brokerage }: Session, simulation: Simulation): SimReply {
    assistantReads += 1;
    const body = { alertName: "MTA", tif: "GTC", active: 1, conditions: [] };
    const alert = { id: ASSISTANT_ID + assistantReads, body };
    return ok({ ...detailsOf(alert, brokerage.selectedAccountId, simulation), tool_id: 55_834_574_848 });
  }

  return [
    { method: "GET", path: "/iserver/account/{accountId}/alerts", tier: "brokerage", handle: list },
    { method: "GET", path: "/iserver/account/alert/{alertId}", tier: "brokerage", handle: details },
    { method: "POST", path: "/iserver/account/{accountId}/alert", tier: "brokerage", handle: save },
    { method: "POST", path: "/iserver/account/{accountId}/alert/activate", tier: "brokerage", handle: activate },
    { method: "DELETE", path: "/iserver/account/{accountId}/alert/{alertId}", tier: "brokerage", handle: remove },
    { method: "GET", path: "/iserver/account/mta", tier: "brokerage", handle: assistant },
  ];
}

function triggeredForm({ id, body }: StoredDocument): StoredDocument {
  return { id, body: { ...body, triggered: true } };
}

function submitted(id: number): SimReply {
  return ok({ request_id: null, order_id: id, success: true, text: "Request was submitted", failure_list: null });
}

function listRow({ id, body }: StoredDocument, accountId: string): Readonly<Record<string, unknown>> {
  return {
    order_id: id,
    account: accountId,
    alert_name: body["alertName"],
    alert_active: body["active"],
    order_time: timeText(Number(body["createdAt"])),
    alert_triggered: body["triggered"] === true,
    alert_repeatable: body["alertRepeatable"] ?? 0,
  };
}

/** `YYYYMMDD-HH:mm:ss`, UTC. */
function timeText(at: number): string {
  const iso = new Date(at).toISOString();
  return `${iso.slice(0, 10).replaceAll("-", "")}-${iso.slice(11, 19)}`;
}

function detailsOf({ id, body }: StoredDocument, account: string, { market }: Simulation): Readonly<Record<string, unknown>> {
  const conditions = conditionRows(body, market);
  return {
    account,
    order_id: id,
    alert_name: body["alertName"],
    tif: body["tif"],
    expire_time: body["expireTime"] ?? null,
    alert_active: body["active"],
    alert_repeatable: body["alertRepeatable"] ?? 0,
    alert_email: body["email"] ?? null,
    alert_send_message: body["sendMessage"] ?? 0,
    alert_message: body["alertMessage"] ?? "",
    alert_show_popup: body["showPopup"] ?? 0,
    alert_play_audio: null,
    order_status: "Submitted",
    alert_triggered: body["triggered"] === true,
    fg_color: "#FFFFFF",
    bg_color: "#0000CC",
    order_not_editable: false,
    itws_orders_only: body["iTWSOrdersOnly"] ?? 0,
    alert_mta_currency: null,
    alert_mta_defaults: null,
    tool_id: null,
    time_zone: null,
    alert_default_type: null,
    condition_size: conditions.length,
    condition_outside_rth: body["outsideRth"] ?? 0,
    conditions,
  };
}
