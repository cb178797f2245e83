import { Counter, Gauge, Histogram, type Registry } from "prom-client";

import type { StreamTotals } from "../connections/stream-totals.ts";

/** Seconds: from no wait at all to the longest that pacing lets anybody wait. */
const WAIT_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** Counts what goes to brokers and how long it had to wait. Labels are kinds of endpoints, never users, accounts or addresses. */
export interface UpstreamMetrics {
  /** A request was sent after it had waited for so long. */
  sent(about: { readonly endpointClass: string; readonly urgent: boolean; readonly waitedMs: number }): void;
  /** The broker answered 429. */
  refused(endpointClass: string): void;
  /** A caller was told to come later. */
  limited(reason: string): void;
  /** Names where the figures of the streams are read when somebody asks. Once. */
  showStreams(read: () => StreamTotals): void;
}

/** Makes the figures and shows them in the registry. */
export function createUpstreamMetrics(registry: Registry): UpstreamMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: "gateway_upstream_requests_total",
    help: "Requests sent to brokers, by kind of endpoint",
    labelNames: ["endpoint_class"],
    registers,
  });
  const refused = new Counter({
    name: "gateway_upstream_refused_total",
    help: "Requests that brokers refused for their rate (429)",
    labelNames: ["endpoint_class"],
    registers,
  });
  const limited = new Counter({
    name: "gateway_rate_limited_total",
    help: "Requests that were not sent because they would have waited, or did wait, too long",
    labelNames: ["reason"],
    registers,
  });
  const wait = new Histogram({
    name: "gateway_upstream_wait_seconds",
    help: "Time that requests waited for their turn: urgent ones (orders, session upkeep) and reads",
    labelNames: ["priority"],
    buckets: WAIT_BUCKETS,
    registers,
  });
  // Bound children, because looking up labels costs more than counting.
  const waits = { urgent: wait.labels("urgent"), read: wait.labels("read") };
  const series = new Map<string, Counter.Internal>();
  return {
    sent: ({ endpointClass, urgent, waitedMs }) => {
      const known = series.get(endpointClass) ?? requests.labels(endpointClass);
      series.set(endpointClass, known);
      known.inc();
      waits[urgent ? "urgent" : "read"].observe(waitedMs / 1000);
    },
    refused: (endpointClass) => refused.inc({ endpoint_class: endpointClass }),
    limited: (reason) => limited.inc({ reason }),
    showStreams: (read) => showStreams(registry, read),
  };
}

/** Shows streams and what came by them. They count themselves; a figure is read when somebody asks for it. */
function showStreams(registry: Registry, read: () => StreamTotals): void {
  const states: Gauge = new Gauge({
    name: "gateway_streams",
    help: "Streams of live links: off (nobody needs it), live, polling (it can't be had at present)",
    labelNames: ["state"],
    registers: [],
    collect: () => {
      for (const [state, count] of Object.entries(read().states)) states.set({ state }, count);
    },
  });
  const subscriptions: Gauge = new Gauge({
    name: "gateway_stream_subscriptions",
    help: "Open subscriptions on streams",
    registers: [],
    collect: () => subscriptions.set(read().subscriptions),
  });
  const counted = (name: string, help: string, value: () => number): Counter => {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [],
      collect: () => {
        counter.reset();
        counter.inc(value());
      },
    });
    return counter;
  };
  for (const figure of [
    states,
    subscriptions,
    counted("gateway_stream_reconnects_total", "Sockets that took the place of one that had ended", () => read().reconnects),
    counted("gateway_stream_frames_total", "Frames that came by streams", () => read().frames),
    counted("gateway_stream_malformed_total", "Frames that could not be read", () => read().malformed),
  ])
    registry.registerMetric(figure);
}
