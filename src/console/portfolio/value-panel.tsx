import { Decimal } from "../../lib/decimal.ts";
import type { Performance } from "../../broker/research.ts";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { dayText, PICTURE, type ValueChart, valueChart } from "./chart-data.ts";
import { Gain, NoFigure } from "./figures.tsx";
import { amountText, percentText } from "./number-text.ts";
import { portfolioPath, type PortfolioView, VALUE_PERIODS } from "./portfolio-address.ts";
import type { Part } from "./readings.ts";

const texts = portfolioTexts.chart;
/** Rows of the table that says what the picture shows: enough to follow its course. */
const MAX_ROWS = 12;
const HUNDRED = Decimal.fromInteger(100);

export interface ValuePanelProps {
  readonly connectionId: string;
  readonly view: PortfolioView;
  readonly performance: Part<Performance>;
  readonly now: number;
}

/** An account's value over time: a picture, its summary, and the same as a table. */
export function ValuePanel({ connectionId, view, performance, now }: ValuePanelProps) {
  const { value } = performance;
  const chart = value === undefined ? undefined : valueChart(value);
  return (
    <section class="card value-panel" aria-labelledby="value-heading">
      <div class="card-head">
        <h2 id="value-heading">{texts.heading}</h2>
        <nav class="choices-row" aria-label={texts.choose}>
          {VALUE_PERIODS.map((period) => (
            <a
              href={portfolioPath(connectionId, { ...view, period })}
              aria-current={period === view.period ? "true" : undefined}
              title={texts.periodMeaning[period]}
            >
              {texts.periods[period]}
            </a>
          ))}
        </nav>
      </div>
      {value === undefined || chart === undefined ? (
        <p class="hint">{value === undefined ? portfolioTexts.unavailable : texts.none}</p>
      ) : (
        <>
          <ValuePicture chart={chart} performance={value} />
          <p class="hint">
            {texts.returned}: <Return performance={value} /> · {portfolioTexts.asOf.toLowerCase()}{" "}
            <RelativeTime at={value.asOf} now={now} />
          </p>
          <ValueTable chart={chart} currency={value.currency} />
        </>
      )}
    </section>
  );
}

function ValuePicture({ chart, performance: { currency } }: { readonly chart: ValueChart; readonly performance: Performance }) {
  const [first, last] = [chart.points[0], chart.points.at(-1)];
  const text = (value: Decimal | undefined) => (value === undefined ? "" : amountText(value, currency));
  const summary = texts.summary({
    from: dayText(first?.label ?? ""),
    to: dayText(last?.label ?? ""),
    first: text(first?.value),
    last: text(last?.value),
    low: text(chart.low),
    high: text(chart.high),
    currency,
  });
  return (
    <div class="chart" role="img" aria-label={summary} data-chart={chart.data}>
      <div class="chart-fallback">
        <svg viewBox={`0 0 ${PICTURE.width} ${PICTURE.height}`} preserveAspectRatio="none">
          <path class="chart-area" d={chart.area} />
          <path class="chart-line" d={chart.line} vector-effect="non-scaling-stroke" />
        </svg>
        <p class="chart-ends hint">
          <span>{dayText(first?.label ?? "")}</span>
          <span>
            {text(chart.low)} – {text(chart.high)} {currency}
          </span>
          <span>{dayText(last?.label ?? "")}</span>
        </p>
      </div>
    </div>
  );
}

function Return({ performance }: { readonly performance: Performance }) {
  const last = performance.points.findLast(({ cumulativeReturn }) => cumulativeReturn !== undefined)?.cumulativeReturn;
  if (last === undefined) return <NoFigure />;
  const percent = last.times(HUNDRED);
  return <Gain value={percent} text={percentText(percent)} currency={performance.currency} />;
}

function ValueTable({ chart, currency }: { readonly chart: ValueChart; readonly currency: string }) {
  const { points } = chart;
  const step = Math.max(1, Math.ceil(points.length / MAX_ROWS));
  const rows = points.filter((_, index) => (points.length - 1 - index) % step === 0);
  return (
    <details class="fold" id="value-table">
      <summary>{texts.table}</summary>
      <table class="data plain">
        <thead>
          <tr>
            <th scope="col">{texts.day}</th>
            <th scope="col" class="numeric">
              {texts.value} ({currency})
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, value }) => (
            <tr>
              <td>
                <time datetime={label}>{dayText(label)}</time>
              </td>
              <td class="numeric">{amountText(value, currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
