import { isRecord } from "../../lib/json.ts";
import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import { NOT_FOUND } from "../http/read-request.ts";
import type { Session } from "../session/session.ts";
import type { Documents } from "./documents.ts";

const ONCE_A_SECOND = { requests: 1, perMs: 1_000 };
const DAY_SECONDS = 86_400;
const paced = { tier: "sso", pacing: ONCE_A_SECOND } as const;
const DONE = { V: 1, T: 10 };

/** The kinds of notice that can be switched, by IBKR's codes. */
const KINDS: readonly (readonly [code: string, name: string])[] = [
  ["BA", "Borrow Availability"],
  ["CA", "Comparable Algo"],
  ["DA", "Dividends Advisory"],
  ["EA", "Upcoming Earnings"],
  ["MF", "Mutual Fund Advisory"],
  ["OE", "Option Expiration"],
  ["PR", "Portfolio Builder Rebalance"],
  ["SE", "Suspend Order on Economic Event"],
  ["SG", "Short Term Gain turning Long Term"],
  ["SM", "System Messages"],
  ["T2", "Assignment Realizing Long-Term Gains"],
  ["TO", "Takeover"],
  ["UA", "User Alert"],
  ["M8", "M871 Trades"],
  ["PS", "Platform Use Suggestions"],
  ["DL", "Unexercised Option Loss Prevention Reminder"],
  ["PT", "Position Transfer"],
  ["CB", "Missing Cost Basis"],
  ["MS", "Milestones"],
  ["TD", "MiFID 10% Depreciation Notice"],
  ["ST", "Save Taxes"],
  ["TI", "Trade Idea"],
  ["CT", "Cash Transfer"],
];

interface Notice {
  readonly id: number;
  readonly daysAgo: number;
  readonly code: string;
  readonly headline: string;
}

/** What every user has been told. */
const NOTICES: readonly Notice[] = [
  { id: 3, daysAgo: 1, code: "PF", headline: "FYI: Your portfolio is worth more than a month ago" },
  { id: 2, daysAgo: 4, code: "OE", headline: "FYI: An option that you hold expires soon" },
  { id: 1, daysAgo: 9, code: "SM", headline: "FYI: Maintenance at the weekend" },
];
const DEFAULT_NOTICES = 10;
/** Switched delivery by e-mail is kept beside the kinds, which are numbered from 1. */
const EMAIL_ID = 0;

/** Makes the endpoints of notices, their settings and their delivery (reference H.3). */
export function createFyiRoutes(documents: Documents): readonly Route[] {
  const isRead = (user: string, id: number): boolean => documents.get("fyi_read", user, id) !== undefined;

  function settings(_request: SimRequest, { user }: Session): SimReply {
    const rows = KINDS.map(([code, name], index) => ({
      FC: code,
      H: 0,
      A: isOn(documents, user.userName, index + 1) ? 1 : 0,
      FD: `Notify me of this: ${name.toLowerCase()}.`,
      FN: name,
    }));
    return ok(rows);
  }

  function change({ params, body }: SimRequest, { user }: Session): SimReply {
    const index = KINDS.findIndex(([code]) => code === params["code"]);
    const enabled = isRecord(body) ? body["enabled"] : undefined;
    if (index < 0 || typeof enabled !== "boolean") return failure(400, "Bad Request: typecode or enabled is not valid");
    documents.put("fyi_setting", user.userName, { id: index + 1, body: { on: enabled } });
    return ok(DONE);
  }

  function notices({ query, path, now }: SimRequest, { user }: Session): SimReply {
    const after = path.endsWith("/more") ? NOTICES.findIndex(({ id }) => noticeId(id) === query.get("id")) + 1 : 0;
    const most = Number(query.get("max") ?? DEFAULT_NOTICES);
    if (!Number.isSafeInteger(most) || most < 1) return failure(400, "Bad Request: max is not valid");
    const rows = NOTICES.slice(after, after + Math.min(most, DEFAULT_NOTICES)).map(({ id, daysAgo, code, headline }) => ({
      R: isRead(user.userName, id) ? 1 : 0,
      D: `${Math.floor(now / 1000) - daysAgo * DAY_SECONDS}.0`,
      MS: headline,
      MD: `<html><body><p>${headline}</p></body></html>`,
      ID: noticeId(id),
      HT: 0,
      FC: code,
    }));
    return ok(rows);
  }

  function markRead({ params }: SimRequest, { user }: Session): SimReply {
    const notice = NOTICES.find(({ id }) => noticeId(id) === params["id"]);
    if (notice === undefined) return failure(400, "Bad Request: notification is not known");
    documents.put("fyi_read", user.userName, { id: notice.id, body: {} });
    return ok({ V: 1, T: 5, P: { R: 1, ID: noticeId(notice.id) } });
  }

  const disclaimer = ({ params }: SimRequest): SimReply => {
    const kind = KINDS.find(([code]) => code === params["code"]);
    return kind === undefined
      ? failure(400, "Bad Request: typecode is not valid")
      : ok({ FC: kind[0], DT: `This notice is for information only: ${kind[1]}.` });
  };
  const agree = (request: SimRequest): SimReply => {
    const shown = disclaimer(request);
    return shown.status === 200 ? ok(DONE) : shown;
  };
  const unread = (_request: SimRequest, { user }: Session): SimReply =>
    ok({ BN: NOTICES.filter(({ id }) => !isRead(user.userName, id)).length });
  return [
    ...createDeliveryRoutes(documents),
    { method: "GET", path: "/fyi/unreadnumber", ...paced, handle: unread },
    { method: "GET", path: "/fyi/settings", ...paced, handle: settings },
    { method: "POST", path: "/fyi/settings/{code}", ...paced, handle: change },
    { method: "GET", path: "/fyi/disclaimer/{code}", ...paced, handle: disclaimer },
    { method: "PUT", path: "/fyi/disclaimer/{code}", ...paced, handle: agree },
    { method: "GET", path: "/fyi/notifications", ...paced, handle: notices },
    { method: "GET", path: "/fyi/notifications/more", ...paced, handle: notices },
    { method: "PUT", path: "/fyi/notifications/{id}", ...paced, handle: markRead },
  ];
}

function noticeId(id: number): string {
  return String(2_026_040_000 + id);
}

/** Where notices are sent besides: by e-mail and to devices. */
function createDeliveryRoutes(documents: Documents): readonly Route[] {
  function deliveries(_request: SimRequest, { user }: Session): SimReply {
    const devices = documents.list("fyi_device", user.userName).map(({ body }) => body);
    return ok({ E: devices, M: isOn(documents, user.userName, EMAIL_ID) ? 1 : 0 });
  }

  function switchEmail({ query }: SimRequest, { user }: Session): SimReply {
    const enabled = query.get("enabled");
    if (enabled !== "true" && enabled !== "false") return failure(400, "Bad Request: enabled is not valid");
    documents.put("fyi_setting", user.userName, { id: EMAIL_ID, body: { on: enabled === "true" } });
    return ok(DONE);
  }

  function saveDevice({ body }: SimRequest, { user }: Session): SimReply {
    const fields = isRecord(body) ? body : {};
    const { devicename, deviceId, uiName, enabled } = fields;
    if (typeof devicename !== "string" || typeof deviceId !== "string")
      return failure(400, "Bad Request: devicename and deviceId are required");
    const known = documents.list("fyi_device", user.userName).find((device) => device.body["I"] === deviceId);
    const id = known?.id ?? documents.nextId("fyi_device", 1);
    const row = { NM: devicename, I: deviceId, UI: typeof uiName === "string" ? uiName : devicename, A: enabled === true ? 1 : 0 };
    return documents.put("fyi_device", user.userName, { id, body: row }) ? ok(DONE) : failure(503, "Service Unavailable");
  }

  function removeDevice({ params }: SimRequest, { user }: Session): SimReply {
    const known = documents.list("fyi_device", user.userName).find(({ body }) => body["I"] === params["deviceId"]);
    if (known === undefined) return NOT_FOUND;
    documents.remove("fyi_device", user.userName, known.id);
    return { status: 200, text: "", contentType: "text/plain; charset=utf-8" };
  }

  return [
    { method: "GET", path: "/fyi/deliveryoptions", ...paced, handle: deliveries },
    { method: "PUT", path: "/fyi/deliveryoptions/email", ...paced, handle: switchEmail },
    { method: "POST", path: "/fyi/deliveryoptions/device", ...paced, handle: saveDevice },
    { method: "DELETE", path: "/fyi/deliveryoptions/{deviceId}", ...paced, handle: removeDevice },
  ];
}

/** Everything is switched on until somebody switches it off. */
function isOn(documents: Documents, user: string, id: number): boolean {
  return documents.get("fyi_setting", user, id)?.body["on"] !== false;
}
