import { Decimal } from "../../lib/decimal.ts";
import { isRecord } from "../../lib/json.ts";
import type { Market } from "../market/market.ts";
import { readInstrument } from "../market/contracts/read-conid.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Kinds of condition: price, time, margin, trade, volume, and the three of the mobile assistant. */
const CONDITION_TYPES = new Set([1, 3, 4, 5, 6, 7, 8, 9]);
const OPERATORS = new Set(["<=", ">="]);
const BINDS = new Set(["a", "o", "n"]);

/** Reads an alert's body. Answers what is wrong with it in IBKR's words: 400 for what is missing, 500 for a condition. */
export function readAlert(body: unknown): { readonly alert: Fields } | { readonly status: 400 | 500; readonly problem: string } {
  if (!isRecord(body) || Object.keys(body).length === 0) return { status: 400, problem: "Bad Request: body can't be empty" };
  const { alertName, tif, conditions } = body;
  if (typeof alertName !== "string" || alertName === "") return { status: 400, problem: "Bad Request: alertName is required" };
  if (tif !== "GTC" && tif !== "GTD") return { status: 400, problem: "Bad Request: tif is not valid" };
  if (tif === "GTD" && !/^\d{8}-\d\d:\d\d:\d\d$/.test(plain(body["expireTime"])))
    return { status: 400, problem: "Bad Request: expireTime is not valid" };
  if (!Array.isArray(conditions) || conditions.length === 0) return { status: 400, problem: "Bad Request: conditions are required" };
  for (const [index, condition] of conditions.entries()) {
    const wrong = problemOf(condition);
    if (wrong !== undefined) return { status: 500, problem: `Condition #${index + 1}:can't recognize fix [${wrong}]` };
  }
  return { alert: body };
}

function problemOf(condition: unknown): string | undefined {
  const { type, operator, logicBind, value } = isRecord(condition) ? condition : {};
  if (!CONDITION_TYPES.has(Number(type))) return plain(type);
  if (operator !== undefined && !OPERATORS.has(plain(operator))) return plain(operator);
  if (!BINDS.has(plain(logicBind))) return plain(logicBind);
  return Number(type) === 1 && Decimal.tryParsePlain(plain(value)) === undefined ? plain(value) : undefined;
}

/** A text or a number as text; anything else is as good as nothing. */
function plain(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** What an alert is judged by. */
export interface AlertMoment {
  readonly market: Market;
  /** Epoch ms from which on it watches. */
  readonly since: number;
  readonly now: number;
}

/** True when an alert's conditions hold: those joined by `a` together, else one of them. Margin and trades are not watched. */
export function isTriggered(alert: Fields, moment: AlertMoment): boolean {
  const conditions = Array.isArray(alert["conditions"]) ? alert["conditions"].filter((each) => isRecord(each)) : [];
  let group = true;
  for (const condition of conditions) {
    group &&= holds(condition, moment);
    if (condition["logicBind"] === "a") continue;
    if (group) return true;
    group = true;
  }
  return false;
}

function holds(condition: Fields, { market, since, now }: AlertMoment): boolean {
  const value = plain(condition["value"]);
  const atLeast = condition["operator"] !== "<=";
  if (Number(condition["type"]) === 3) return now >= (timeOf(value) ?? Number.POSITIVE_INFINITY);
  const limit = Decimal.tryParsePlain(value);
  const instrument = readInstrument(market, plain(condition["conidex"]).split("@")[0]);
  if (limit === undefined || instrument === undefined) return false;
  if (Number(condition["type"]) === 6) return market.quote(instrument.conid, now).volume.lessThan(limit) !== atLeast;
  if (Number(condition["type"]) !== 1) return false;
  const traded = market.traded(instrument.conid, since, now, true);
  if (traded === undefined) return false;
  return atLeast ? !traded.high.lessThan(limit) : !traded.low.greaterThan(limit);
}

/** `YYYYMMDD-HH:mm:ss`, taken for UTC. */
function timeOf(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)-(\d\d:\d\d:\d\d)$/.exec(text);
  return match === null ? undefined : Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}Z`);
}

/** The conditions of an alert as its details tell them. */
export function conditionRows(alert: Fields, market: Market): readonly Fields[] {
  const conditions = Array.isArray(alert["conditions"]) ? alert["conditions"].filter((each) => isRecord(each)) : [];
  return conditions.map((condition) => {
    const conidex = plain(condition["conidex"]);
    return {
      condition_type: Number(condition["type"]),
      conidex,
      contract_description_1: readInstrument(market, conidex.split("@")[0])?.symbol ?? "",
      condition_operator: condition["operator"] ?? null,
      condition_trigger_method: plain(condition["triggerMethod"] ?? "0"),
      condition_value: plain(condition["value"]),
      condition_logic_bind: condition["logicBind"],
      condition_time_zone: condition["timeZone"] ?? null,
    };
  });
}
