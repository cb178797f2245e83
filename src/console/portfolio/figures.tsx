import type { Child } from "hono/jsx";

import type { Decimal } from "../../lib/decimal.ts";
import { portfolioTexts as texts } from "../../pages/texts/portfolio.ts";
import { amountText, percentText, priceText, signed } from "./number-text.ts";

/** What stands where a figure isn't known. */
export function NoFigure() {
  return <span class="unknown">{texts.none}</span>;
}

/** An amount of money, without its currency: that stands beside or above it. */
export function Amount({ value, currency }: { readonly value: Decimal | undefined; readonly currency: string }) {
  return value === undefined ? <NoFigure /> : <>{amountText(value, currency)}</>;
}

/** A price. */
export function Price({ value }: { readonly value: Decimal | undefined }) {
  return value === undefined ? <NoFigure /> : <>{priceText(value)}</>;
}

export interface GainProps {
  readonly value: Decimal | undefined;
  /** The amount in words; left out to write `value` as an amount of `currency`. */
  readonly text?: string;
  readonly currency: string;
  /** The same in percent. */
  readonly percent?: Decimal | undefined;
}

/** A gain or a loss: by sign, arrow and word, which its colour only repeats. */
export function Gain({ value, text, currency, percent }: GainProps) {
  if (value === undefined) return <NoFigure />;
  const amount = signed(value, text ?? amountText(value, currency));
  // What rounds to nothing is neither.
  const direction = !/[1-9]/.test(amount) ? "flat" : value.isNegative() ? "down" : "up";
  return (
    <span class={`gain ${direction}`}>
      {direction !== "flat" && (
        <>
          <span class="gain-sign" aria-hidden="true">
            {direction === "up" ? "▲" : "▼"}
          </span>
          <span class="visually-hidden">{direction === "up" ? texts.gain : texts.loss} </span>
        </>
      )}
      {amount}
      {percent !== undefined && <span class="gain-percent"> {signed(percent, percentText(percent))}</span>}
    </span>
  );
}

/** One figure with its name, and what is to be known about it. */
export function Figure({
  name,
  isMain = false,
  note,
  children,
}: {
  readonly name: string;
  readonly isMain?: boolean;
  readonly note?: Child;
  readonly children?: Child;
}) {
  return (
    <div class={isMain ? "figure main" : "figure"}>
      <dt>{name}</dt>
      <dd>
        {children}
        {note !== undefined && <span class="figure-note">{note}</span>}
      </dd>
    </div>
  );
}
