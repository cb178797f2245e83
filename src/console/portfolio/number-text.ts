import type { Decimal } from "../../lib/decimal.ts";

/** U+2212: as wide as a plus, and never mistaken for a hyphen. */
const MINUS = "\u2212";
/** Currencies without a smaller unit in use. */
const WHOLE_CURRENCIES = new Set(["JPY", "KRW", "CLP", "VND", "ISK", "HUF", "TWD"]);
const USUAL_DIGITS = 2;
/** Small prices, such as exchange rates, need more digits than large ones. */
const LARGE_PRICE_DIGITS = 4;
const SMALL_PRICE_DIGITS = 6;
/** From so many whole digits on a price is large. */
const LARGE_WHOLE_DIGITS = 2;
const QUANTITY_DIGITS = 4;

/** Says how many digits after the point an amount in this currency has. */
export function fractionDigits(currency: string): number {
  return WHOLE_CURRENCIES.has(currency) ? 0 : USUAL_DIGITS;
}

/** Writes an amount in grouped digits with as many decimals as its currency has: `1,234.50`, `−0.07`. */
export function amountText(value: Decimal, currency: string): string {
  return grouped(value.toFixed(fractionDigits(currency)));
}

/** Writes a price with two decimals or more, as many as it needs: `189.50`, `1.08345`. */
export function priceText(value: Decimal): string {
  const whole = value.abs().round(0, "down").toString();
  const most = whole.length >= LARGE_WHOLE_DIGITS ? LARGE_PRICE_DIGITS : SMALL_PRICE_DIGITS;
  const [, decimals = ""] = value.round(most).toString().split(".");
  return grouped(value.toFixed(Math.max(USUAL_DIGITS, decimals.length)));
}

/** Writes a quantity without needless decimals: `1,500`, `0.25`, `−3`. */
export function quantityText(value: Decimal): string {
  return grouped(value.round(QUANTITY_DIGITS).toString());
}

/** Writes a percentage (`5` is 5 %): `12.30%`. */
export function percentText(value: Decimal, decimals = USUAL_DIGITS): string {
  return `${grouped(value.toFixed(decimals))}%`;
}

/** Puts a plus before what `text` says of a gain; losses have their sign already, and what rounds to nothing has none. */
export function signed(value: Decimal, text: string): string {
  return value.isPositive() && /[1-9]/.test(text) ? `+${text}` : text;
}

function grouped(plain: string): string {
  const [, sign = "", whole = "", rest = ""] = /^(-?)(\d+)(.*)$/.exec(plain) ?? [];
  return `${sign === "" ? "" : MINUS}${whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ",")}${rest}`;
}
