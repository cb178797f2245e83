import type { Clock } from "../lib/clock.ts";
import type { PageRequest } from "./page-env.ts";

/** What a live page is sent. */
export interface EventStream {
  /** Puts `html` in place of the element with this id. */
  replace(id: string, html: string): void;
  /**
   * Puts `html` before everything that the element with this id holds, and lets go of what is beyond its `data-most` parts. The
   * browser tells the last `eventId` when it asks again (`lastEventId`).
   */
  prepend(id: string, html: string, eventId?: string): void;
  /** Lets the page load itself again, for changes that a part can't show. */
  reload(): void;
  /** Ends it; what is told after that is lost. */
  close(): void;
}

/** Shorter than the idle time of common proxies (60 s). */
const HEARTBEAT_MS = 20_000;
/** Then the browser asks again by itself, and whoever is signed out by then gets nothing more. */
const LASTS_MS = 5 * 60_000;
const RECONNECT_AFTER_MS = 3_000;
/** What may wait for a reader who doesn't read; then the stream is cut, and begins anew when they are back. */
const MAX_WAITING_BYTES = 262_144;

/**
 * Answers a stream of server-sent events for `live.js`. `begin` gets the stream and answers how to stop; it is stopped
 * when the reader goes, reads too slowly, or after five minutes.
 */
export function eventStream(c: PageRequest, clock: Clock, begin: (stream: EventStream) => () => void): Response {
  // Set before Node's own headers are written: a closing server tells streams from answers by it.
  c.env.outgoing.setHeader("Content-Type", "text/event-stream");
  const stopping: (() => void)[] = [];
  const stop = (): void => {
    for (const end of stopping.splice(0)) end();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const encoder = new TextEncoder();
        let isOpen = true;
        const close = (): void => {
          if (!isOpen) return;
          isOpen = false;
          stop();
          controller.close();
        };
        const write = (text: string): void => {
          if (!isOpen) return;
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) < 0) close();
        };
        const send = (event: string, data: object, eventId?: string): void =>
          write(`${eventId === undefined ? "" : `id: ${eventId}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
        stopping.push(() => {
          isOpen = false;
        });
        write(`retry: ${RECONNECT_AFTER_MS}\n\n`);
        stopping.push(clock.every(HEARTBEAT_MS, () => write(": still here\n\n")));
        stopping.push(clock.every(LASTS_MS, close));
        stopping.push(
          begin({
            replace: (id, html) => send("replace", { id, html }),
            prepend: (id, html, eventId) => send("prepend", { id, html }, eventId),
            reload: () => send("reload", {}),
            close,
          }),
        );
      },
      cancel: stop,
    },
    { highWaterMark: MAX_WAITING_BYTES, size: (chunk) => chunk.byteLength },
  );
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      "X-Accel-Buffering": "no",
    },
  });
}

/** What a browser says it saw last of a stream that it listens to again: by itself, or after its page was out of sight. */
export function lastEventId(c: PageRequest): string | undefined {
  return c.req.header("last-event-id") ?? c.req.query("last_event_id");
}
