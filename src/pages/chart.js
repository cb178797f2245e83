// Draws charts with uPlot over the ones that came with the page. Without it, those stay.
"use strict";

const HEIGHT = 320;
/** Space between two lines of the grid that their labels need. */
const LABEL_SPACE = 84;
const PHONE_LABEL_SPACE = 64;

const colour = (box, name) => getComputedStyle(box).getPropertyValue(name).trim();

function numbers(decimals) {
  const format = new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return (value) => format.format(value);
}

// Candles stand at equal distances: nights and weekends take no room.
const places = (data) => data.labels.map((_, index) => index);

function axes(box, data) {
  const common = { stroke: colour(box, "--muted"), font: "12px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: colour(box, "--line"), width: 1 };
  const short = numbers(data.axisDecimals);
  return [
    {
      ...common,
      grid: { show: false },
      size: 32,
      space: box.clientWidth < 480 ? PHONE_LABEL_SPACE : LABEL_SPACE,
      incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      values: (_plot, splits) => splits.map((index) => data.ticks[index] ?? ""),
    },
    {
      ...common,
      grid,
      side: 1,
      size: (plot, values) => 18 + 7.2 * Math.max(0, ...(values ?? []).map((text) => text.length)),
      values: (_plot, splits) => splits.map(short),
    },
  ];
}

/** While nothing is pointed at, the last one is told. */
function tellLast(plot) {
  const tell = () => plot.setLegend({ idx: plot.data[0].length - 1 });
  plot.over.addEventListener("mouseleave", tell);
  tell();
}

function frame(box, data) {
  return {
    width: box.clientWidth,
    height: HEIGHT,
    padding: [8, 0, 0, 26],
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { x: { time: false } },
    axes: axes(box, data),
    hooks: { ready: [tellLast] },
  };
}

const timeSeries = (data) => ({ label: data.timeLabel, value: (_plot, index) => data.labels[index] ?? "–" });

function valueOptions(box, data) {
  const format = numbers(data.decimals);
  const accent = colour(box, "--accent");
  return {
    ...frame(box, data),
    series: [
      timeSeries(data),
      {
        label: data.seriesLabel,
        stroke: accent,
        width: 2,
        fill: colour(box, "--accent-soft"),
        points: { show: false },
        value: (_plot, value) => (value == null ? "–" : format(value)),
      },
    ],
  };
}

/** Rising candles are hollow, falling ones filled: colour isn't their only difference. */
function drawCandles(plot, box) {
  const [, opens, highs, lows, closes] = plot.data;
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  const step = plot.bbox.width / Math.max(1, opens.length);
  const width = Math.max(1, Math.min(12 * ratio, Math.round(step * 0.65)));
  const good = colour(box, "--good");
  const danger = colour(box, "--danger");
  const surface = colour(box, "--surface");
  ctx.save();
  ctx.lineWidth = Math.max(1, Math.round(ratio));
  for (let index = 0; index < opens.length; index += 1) {
    const [open, high, low, close] = [opens, highs, lows, closes].map((prices) => Math.round(plot.valToPos(prices[index], "y", true)));
    const x = Math.round(plot.valToPos(index, "x", true));
    const isRising = closes[index] >= opens[index];
    ctx.strokeStyle = isRising ? good : danger;
    ctx.fillStyle = isRising ? surface : danger;
    ctx.beginPath();
    ctx.moveTo(x, high);
    ctx.lineTo(x, low);
    ctx.stroke();
    const top = Math.min(open, close);
    const height = Math.max(1, Math.abs(open - close));
    ctx.fillRect(x - width / 2, top, width, height);
    if (width > 2) ctx.strokeRect(x - width / 2, top, width, height);
  }
  ctx.restore();
}

function candleOptions(box, data) {
  const format = numbers(data.decimals);
  const price = (label) => ({
    label,
    paths: () => null,
    points: { show: false },
    stroke: colour(box, "--muted"),
    value: (_plot, value) => (value == null ? "–" : format(value)),
  });
  return {
    ...frame(box, data),
    scales: { x: { time: false, range: (_plot, min, max) => [min - 0.5, max + 0.5] } },
    series: [timeSeries(data), ...data.seriesLabels.map(price)],
    hooks: { ready: [tellLast], draw: [(plot) => drawCandles(plot, box)] },
  };
}

function draw(box) {
  const data = JSON.parse(box.dataset.chart);
  const isCandles = data.kind === "candles";
  const columns = isCandles ? [data.open, data.high, data.low, data.close] : [data.values];
  let plot;
  const make = () => {
    plot?.destroy();
    plot = new uPlot(isCandles ? candleOptions(box, data) : valueOptions(box, data), [places(data), ...columns], box);
  };
  for (const part of box.children) part.hidden = true;
  make();
  new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: HEIGHT });
  }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", make);
}

for (const box of document.querySelectorAll("[data-chart]")) draw(box);
