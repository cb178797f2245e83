import { describe, expect, it } from "vitest";

import { createMetrics } from "./metrics.ts";

describe("the figures of what goes to brokers", () => {
  it("count requests and refusals by kind of endpoint, waits by priority, and who was told to come later", async () => {
    const metrics = createMetrics();
    metrics.upstream.sent({ endpointClass: "quotes", urgent: false, waitedMs: 300 });
    metrics.upstream.sent({ endpointClass: "orders", urgent: true, waitedMs: 0 });
    metrics.upstream.refused("quotes");
    metrics.upstream.limited("wait");
    metrics.gauges({ name: "gateway_links", help: "Links", label: "state" }, () => ({ established: 2, competing: 0 }));
    const { text } = await metrics.render();
    for (const line of [
      'gateway_upstream_requests_total{endpoint_class="quotes"} 1',
      'gateway_upstream_requests_total{endpoint_class="orders"} 1',
      'gateway_upstream_refused_total{endpoint_class="quotes"} 1',
      'gateway_rate_limited_total{reason="wait"} 1',
      'gateway_upstream_wait_seconds_bucket{le="0.25",priority="read"} 0',
      'gateway_upstream_wait_seconds_bucket{le="0.5",priority="read"} 1',
      'gateway_upstream_wait_seconds_count{priority="urgent"} 1',
      'gateway_links{state="established"} 2',
      'gateway_links{state="competing"} 0',
    ])
      expect(text).toContain(`\n${line}\n`);
  });

  it("show streams by state, and what came by them, as it is when somebody asks", async () => {
    const metrics = createMetrics();
    let frames = 7;
    metrics.upstream.showStreams(() => ({
      states: { off: 1, live: 2, polling: 0 },
      reconnects: 3,
      frames,
      malformed: 1,
      subscriptions: 5,
    }));
    expect((await metrics.render()).text).toContain("\ngateway_stream_frames_total 7\n");
    frames = 9;
    const { text } = await metrics.render();
    for (const line of [
      'gateway_streams{state="off"} 1',
      'gateway_streams{state="live"} 2',
      'gateway_streams{state="polling"} 0',
      "gateway_stream_reconnects_total 3",
      "gateway_stream_frames_total 9",
      "gateway_stream_malformed_total 1",
      "gateway_stream_subscriptions 5",
    ])
      expect(text).toContain(`\n${line}\n`);
  });
});
