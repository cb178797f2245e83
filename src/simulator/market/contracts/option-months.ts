import type { SimInstrument } from "../market.ts";

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** An expiry `YYYYMMDD` as the month that IBKR lists it under: `JAN27`. */
export function monthOf(expiry: string): string {
  return `${MONTHS[Number(expiry.slice(4, 6)) - 1] ?? ""}${expiry.slice(2, 4)}`;
}

/** A contract's month `YYYYMM`, or the month of its expiry, as IBKR lists it: `JAN27`. */
export function listedMonth({ contractMonth, expiry }: Pick<SimInstrument, "contractMonth" | "expiry">): string {
  return monthOf(contractMonth ?? expiry ?? "");
}

/** True for a well-formed month such as `JAN27`. */
export function isMonth(text: string): boolean {
  return /^[A-Z]{3}\d{2}$/.test(text) && MONTHS.includes(text.slice(0, 3));
}

/** The last day of a future as IBKR writes it: `DEC 18 '26`. */
export function futureText(expiry: string): string {
  const month = monthOf(expiry);
  return `${month.slice(0, 3)} ${expiry.slice(6)} '${month.slice(3)}`;
}

/** An option's terms as IBKR writes them: `JAN 15 '27 235 Call`. */
export function optionText(expiry: string, strike: string, right: "C" | "P"): string {
  const month = monthOf(expiry);
  return `${month.slice(0, 3)} ${expiry.slice(6)} '${month.slice(3)} ${strike} ${right === "C" ? "Call" : "Put"}`;
}
