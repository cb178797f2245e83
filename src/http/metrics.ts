import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { CallMetrics } from "../mcp/call-tool.ts";
import type { EndpointMetrics } from "../mcp/endpoint.ts";
import { createUpstreamMetrics, type UpstreamMetrics } from "./upstream-metrics.ts";

/** Seconds: from a warm quote to the end of a call's time. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The process's figures, in Prometheus' text format. */
export interface Metrics extends CallMetrics, EndpointMetrics {
  request(route: string, status: number): void;
  /** What goes to brokers. */
  readonly upstream: UpstreamMetrics;
  /** Shows a number that is read when somebody asks, such as a queue's length. */
  gauge(name: string, help: string, read: () => number): void;
  /** Shows several of the same kind, by the values of one label. */
  gauges(
    about: { readonly name: string; readonly help: string; readonly label: string },
    read: () => Readonly<Record<string, number>>,
  ): void;
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

interface ToolSeries {
  readonly calls: Counter.Internal;
  readonly seconds: Histogram.Internal<string>;
  readonly upstream: Counter.Internal;
}

/** Makes an empty set of figures. Labels are of closed sets only: routes, tools, outcomes. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({ name: "gateway_http_requests_total", help: "HTTP requests", labelNames: ["route", "status"], registers });
  const unauthorized = new Counter({
    name: "gateway_unauthorized_total",
    help: "Requests to /mcp answered 401",
    labelNames: ["reason"],
    registers,
  });
  const calls = new Counter({ name: "gateway_tool_calls_total", help: "Tool calls", labelNames: ["tool", "outcome"], registers });
  const seconds = new Histogram({
    name: "gateway_tool_call_seconds",
    help: "Time of tool calls",
    labelNames: ["tool"],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const upstream = new Counter({
    name: "gateway_upstream_calls_total",
    help: "Requests to the broker made for tool calls",
    labelNames: ["tool"],
    registers,
  });
  // Bound children, because looking up labels costs more than counting.
  const requestSeries = new Map<string, Counter.Internal>();
  const toolSeries = new Map<string, ToolSeries>();
  return {
    upstream: createUpstreamMetrics(registry),
    request: (route, status) => {
      const key = `${route} ${status}`;
      const series = requestSeries.get(key) ?? requests.labels(route, String(status));
      requestSeries.set(key, series);
      series.inc();
    },
    unauthorized: (reason) => unauthorized.inc({ reason }),
    toolCall: (tool, end) => {
      const outcome = end.code ?? end.outcome;
      const key = `${tool} ${outcome}`;
      const series = toolSeries.get(key) ?? {
        calls: calls.labels(tool, outcome),
        seconds: seconds.labels(tool),
        upstream: upstream.labels(tool),
      };
      toolSeries.set(key, series);
      series.calls.inc();
      series.seconds.observe(end.durationUs / 1e6);
      if (end.upstreamCalls > 0) series.upstream.inc(end.upstreamCalls);
    },
    gauge: (name, help, read) => {
      const shown: Gauge = new Gauge({ name, help, registers: [], collect: () => shown.set(read()) });
      registry.registerMetric(shown);
    },
    gauges: ({ name, help, label }, read) => {
      const collect = () => {
        for (const [value, count] of Object.entries(read())) shown.set({ [label]: value }, count);
      };
      const shown: Gauge = new Gauge({ name, help, labelNames: [label], registers: [], collect });
      registry.registerMetric(shown);
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
