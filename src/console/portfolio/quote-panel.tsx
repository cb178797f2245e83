import type { Child } from "hono/jsx";

import type { Quote } from "../../broker/market-data.ts";
import { marketStateAt } from "../../broker/market-session.ts";
import type { MarketHours } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import { Badge, type BadgeTone } from "../../pages/components/badge.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { Gain, NoFigure, Price } from "./figures.tsx";
import { priceText, quantityText } from "./number-text.ts";

const texts = portfolioTexts.security;
const STATUS_TONES: Readonly<Record<Quote["dataStatus"], BadgeTone>> = { live: "good", delayed: "warn", frozen: "paused", stale: "warn" };

export interface QuotePanelProps {
  readonly quote: Quote;
  readonly hours: MarketHours | undefined;
  readonly now: number;
}

/** A quote: the price, how fresh it is, and what is around it. */
export function QuotePanel({ quote, hours, now }: QuotePanelProps) {
  const { facts } = texts;
  return (
    <>
      <div class="quote-head">
        <p class="quote-last">
          {quote.last === undefined ? <span class="unknown">{texts.noLast}</span> : priceText(quote.last)}{" "}
          <span class="figure-currency">{quote.currency}</span>
        </p>
        <p>
          <Gain
            value={quote.change}
            text={quote.change === undefined ? "" : priceText(quote.change)}
            currency={quote.currency}
            percent={quote.changePct}
          />
        </p>
        <p class="quote-badges">
          <Badge tone={STATUS_TONES[quote.dataStatus]}>{texts.status[quote.dataStatus]}</Badge>
          {quote.halted && <Badge tone="bad">{texts.halted}</Badge>}
          {hours !== undefined && <MarketWords hours={hours} now={now} />}
        </p>
      </div>
      {quote.lastIsPriorClose && <p class="hint">{texts.priorCloseShown}</p>}
      {!quote.subscribed && <p class="hint">{texts.notSubscribed}</p>}
      <dl class="quote-facts">
        <Fact name={facts.bid}>
          <Side price={quote.bid} size={quote.bidSize} />
        </Fact>
        <Fact name={facts.ask}>
          <Side price={quote.ask} size={quote.askSize} />
        </Fact>
        <Fact name={facts.open}>
          <Price value={quote.dayOpen} />
        </Fact>
        <Fact name={facts.priorClose}>
          <Price value={quote.priorClose} />
        </Fact>
        <Fact name={facts.volume}>{quote.volume === undefined ? <NoFigure /> : quantityText(quote.volume)}</Fact>
        <Fact name={facts.dayRange}>
          <Range low={quote.dayLow} high={quote.dayHigh} last={quote.last} />
        </Fact>
        <Fact name={facts.yearRange}>
          <Range low={quote.week52Low} high={quote.week52High} last={quote.last} />
        </Fact>
      </dl>
      <p class="hint">
        {portfolioTexts.asOf} <RelativeTime at={quote.asOf} now={now} />.
      </p>
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children?: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Side({ price, size }: { readonly price: Decimal | undefined; readonly size: Decimal | undefined }) {
  if (price === undefined) return <NoFigure />;
  return (
    <>
      {priceText(price)} {size !== undefined && <span class="hint">{texts.size(quantityText(size))}</span>}
    </>
  );
}

/** Width of the picture of a range. */
const RANGE_WIDTH = 100;

/** A range in words, and where the price stands in it as a picture. */
function Range({ low, high, last }: Readonly<Record<"low" | "high" | "last", Decimal | undefined>>) {
  if (low === undefined || high === undefined) return <NoFigure />;
  const span = high.minus(low);
  const place =
    last === undefined || span.isZero()
      ? undefined
      : Decimal.min(Decimal.one, Decimal.max(Decimal.zero, last.minus(low).dividedBy(span, 4))).toApproximation() * RANGE_WIDTH;
  return (
    <>
      {texts.range(priceText(low), priceText(high))}
      {place !== undefined && (
        <svg class="range" viewBox={`0 0 ${RANGE_WIDTH} 6`} preserveAspectRatio="none" aria-hidden="true">
          <rect class="share-rest" y="2" width={RANGE_WIDTH} height="2" />
          <rect x={Math.min(RANGE_WIDTH - 2, place)} width="2" height="6" />
        </svg>
      )}
    </>
  );
}

function MarketWords({ hours, now }: { readonly hours: MarketHours; readonly now: number }) {
  const { session, regularClosesAt, regularOpensAt } = marketStateAt(hours, now);
  const words = texts.market;
  return (
    <span class="hint">
      {words[session]}
      {regularClosesAt !== undefined && (
        <>
          , {words.closes} <RelativeTime at={regularClosesAt} now={now} />
        </>
      )}
      {regularOpensAt !== undefined && (
        <>
          , {words.opens} <RelativeTime at={regularOpensAt} now={now} />
        </>
      )}
    </span>
  );
}
