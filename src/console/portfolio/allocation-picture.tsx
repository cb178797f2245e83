import { PlainName } from "../../pages/components/plain-name.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { Decimal } from "../../lib/decimal.ts";
import type { Allocation } from "./allocation.ts";
import { descriptionOf } from "./holdings.ts";
import { percentText } from "./number-text.ts";

const texts = portfolioTexts.allocation;
/** Tenths of a percent in the whole. */
const WHOLE = 1000;

/** How the money is spread: each bar has its words beside it. */
export function AllocationPicture({ allocation }: { readonly allocation: Allocation | undefined }) {
  if (allocation === undefined) return <p class="hint">{texts.none}</p>;
  return (
    <>
      <div>
        <h3>{texts.byClass}</h3>
        <StackedBar allocation={allocation} />
        <ul class="shares">
          {allocation.byClass.map(({ key, tenths }) => (
            <li>
              <svg class={`swatch fill-${key}`} viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
                <rect width="10" height="10" rx="2" />
              </svg>
              <span>{portfolioTexts.classes[key]}</span>
              <span class="share-figure">{shareText(tenths)}</span>
            </li>
          ))}
        </ul>
      </div>
      <div>
        <h3>{texts.largest}</h3>
        <ul class="shares bars">
          {allocation.largest.map(({ key, holding, tenths }) => (
            <li>
              <span>
                {holding === undefined ? nameOf(key) : <PlainName value={descriptionOf(holding.position) ?? holding.position.symbol} />}
              </span>
              <span class="share-figure">{shareText(tenths)}</span>
              <svg
                class={`share-bar fill-${holding?.holdingClass ?? key}`}
                viewBox={`0 0 ${WHOLE} 6`}
                preserveAspectRatio="none"
                aria-hidden="true"
              >
                <rect class="share-rest" width={WHOLE} height="6" />
                <rect width={tenths} height="6" />
              </svg>
            </li>
          ))}
        </ul>
      </div>
      {(allocation.hasShort || allocation.unknown > 0) && (
        <p class="hint">
          {allocation.hasShort && texts.short} {allocation.unknown > 0 && texts.unknown(allocation.unknown)}
        </p>
      )}
    </>
  );
}

function StackedBar({ allocation }: { readonly allocation: Allocation }) {
  let from = 0;
  const parts = allocation.byClass.map(({ key, tenths }) => {
    const x = from;
    from += tenths;
    return { key, tenths, x };
  });
  return (
    <svg class="stacked-bar" viewBox={`0 0 ${WHOLE} 14`} preserveAspectRatio="none" aria-hidden="true">
      {parts.map(({ key, tenths, x }) => (
        <g class={`fill-${key}`}>
          <rect x={x} width={tenths} height="14" />
        </g>
      ))}
    </svg>
  );
}

function nameOf(key: string): string {
  return key === "cash" ? texts.cash : texts.others;
}

function shareText(tenths: number): string {
  return percentText(Decimal.fromInteger(tenths).dividedBy(Decimal.fromInteger(10), 1), 1);
}
