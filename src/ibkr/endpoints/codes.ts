import type { OrderTypeName, SecType } from "../../broker/instrument.ts";

const SEC_TYPE_LIST: readonly SecType[] = [
  "STK",
  "OPT",
  "FUT",
  "FOP",
  "CASH",
  "IND",
  "BOND",
  "FUND",
  "WAR",
  "CFD",
  "CRYPTO",
  "CMDTY",
  "BAG",
];
const SEC_TYPES: ReadonlyMap<string, SecType> = new Map(SEC_TYPE_LIST.map((secType) => [secType, secType]));

const ORDER_TYPES: Readonly<Record<string, OrderTypeName>> = {
  MARKET: "MKT",
  MKT: "MKT",
  LIMIT: "LMT",
  LMT: "LMT",
  STOP: "STP",
  STP: "STP",
  STOP_LIMIT: "STP_LIMIT",
  STP_LIMIT: "STP_LIMIT",
  STP_LMT: "STP_LIMIT",
  STOPLIMIT: "STP_LIMIT",
};

/** Reads a kind of instrument; undefined for one that we don't know. */
export function secTypeOf(code: string | undefined): SecType | undefined {
  return code === undefined ? undefined : SEC_TYPES.get(code.toUpperCase());
}

/** Our name for an order type in any of IBKR's spellings (`Stop Limit`, `STOP_LIMIT`, `stop_limit`); undefined for other types. */
export function orderTypeOf(name: string | undefined): OrderTypeName | undefined {
  return name === undefined
    ? undefined
    : ORDER_TYPES[
        name
          .trim()
          .toUpperCase()
          .replaceAll(/[\s-]+/g, "_")
      ];
}

/** IBKR's name for one of our order types. */
export function wireOrderType(name: OrderTypeName): string {
  return name === "STP_LIMIT" ? "STOP_LIMIT" : name;
}

/** `20270115` as `2027-01-15`; undefined for anything else. */
export function isoDate(compact: string | undefined): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(compact ?? "") ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** `2027-01` as IBKR writes an option month: `JAN27`. Undefined for anything else. */
export function optionMonth(month: string): string | undefined {
  const [, year, number] = /^\d{2}(\d{2})-(\d{2})$/.exec(month) ?? [];
  const name = MONTHS[Number(number) - 1];
  return name === undefined || year === undefined ? undefined : name + year;
}

/** An option month as IBKR writes it (`JAN27`) as `2027-01`. Undefined for anything else. */
export function isoMonth(month: string): string | undefined {
  const [, name = "", year] = /^([A-Z]{3})(\d{2})$/.exec(month.trim().toUpperCase()) ?? [];
  const index = MONTHS.indexOf(name);
  return index < 0 || year === undefined ? undefined : `20${year}-${String(index + 1).padStart(2, "0")}`;
}
