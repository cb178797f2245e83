import type { History } from "../../broker/market-data.ts";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { type CandleChart, candleChart, PICTURE } from "./chart-data.ts";
import { priceText } from "./number-text.ts";
import { CHART_RANGES, securityPath, type SecurityView } from "./portfolio-address.ts";
import type { Part } from "./readings.ts";

const texts = portfolioTexts.security.chart;

export interface PricePanelProps {
  readonly connectionId: string;
  readonly conid: number;
  readonly view: SecurityView;
  readonly history: Part<History>;
  readonly now: number;
}

/** A security's prices as candles, with what they say in words. */
export function PricePanel({ connectionId, conid, view, history, now }: PricePanelProps) {
  const { value } = history;
  const chart = value === undefined ? undefined : candleChart(value);
  return (
    <section class="card" aria-labelledby="price-heading">
      <div class="card-head">
        <h2 id="price-heading">{texts.heading}</h2>
        <nav class="choices-row" aria-label={texts.choose}>
          {CHART_RANGES.map((range) => (
            <a
              href={securityPath(connectionId, conid, { ...view, range })}
              aria-current={range.name === view.range.name ? "true" : undefined}
              title={texts.meaning[range.name]}
            >
              {range.name}
            </a>
          ))}
        </nav>
      </div>
      {value === undefined || chart === undefined ? (
        <p class="hint">{value === undefined ? portfolioTexts.unavailable : texts.none}</p>
      ) : (
        <>
          <PricePicture history={value} chart={chart} />
          <p class="hint">
            {summaryOf(value, chart)} {texts.hollow} {portfolioTexts.security.status[value.dataStatus]}, {portfolioTexts.asOf.toLowerCase()}{" "}
            <RelativeTime at={value.asOf} now={now} />.
          </p>
        </>
      )}
    </section>
  );
}

function PricePicture({ history, chart }: { readonly history: History; readonly chart: CandleChart }) {
  return (
    <div class="chart" role="img" aria-label={summaryOf(history, chart)} data-chart={chart.data}>
      <div class="chart-fallback">
        <svg viewBox={`0 0 ${PICTURE.width} ${PICTURE.height}`} preserveAspectRatio="none">
          <path class="candles rising" d={chart.rising} vector-effect="non-scaling-stroke" />
          <path class="candles falling" d={chart.falling} vector-effect="non-scaling-stroke" />
        </svg>
        <p class="chart-ends hint">
          <span>{chart.labels[0]}</span>
          <span>
            {priceText(chart.low)} – {priceText(chart.high)} {history.currency}
          </span>
          <span>{chart.labels.at(-1)}</span>
        </p>
      </div>
    </div>
  );
}

function summaryOf({ bars, currency }: History, chart: CandleChart): string {
  const [first, last] = [bars[0], bars.at(-1)];
  return texts.summary({
    from: chart.labels[0] ?? "",
    to: chart.labels.at(-1) ?? "",
    first: first === undefined ? "" : priceText(first.open),
    last: last === undefined ? "" : priceText(last.close),
    low: priceText(chart.low),
    high: priceText(chart.high),
    currency,
  });
}
