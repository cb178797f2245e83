import type { Child } from "hono/jsx";
import { renderToString } from "hono/jsx/dom/server";

import { background } from "../lib/log.ts";
import type { PageRequest } from "../pages/page-env.ts";
import { beginOwnStream, type OwnStream, type OwnStreamDeps } from "./own-stream.ts";

/** A part of a page as it is now, by the id of its element. */
export interface LivePart {
  readonly id: string;
  readonly content: Child;
}

export interface LivePartsOptions {
  /** Calls back at each change from now on. Answers how to stop. */
  readonly subscribe: (changed: () => void) => () => void;
  /** Draws all parts anew; undefined when the page itself has to be loaded again, as when what it shows is gone. */
  readonly draw: () => Promise<readonly LivePart[] | undefined>;
}

/** Times said as `3 minutes ago` grow old. */
const REDRAW_EVERY_MS = 30_000;

/**
 * Keeps parts of a page current: sends those that changed, once at first and then after each change, one drawing at a time, and as
 * long as its reader is signed in.
 */
export function liveParts(c: PageRequest, deps: OwnStreamDeps, options: LivePartsOptions): Response {
  const { clock, log } = deps;
  return beginOwnStream(c, deps, (stream) => {
    const redraw = createRedraw(stream, options);
    const changed = (): void => background(redraw(), log, "drawing a live page");
    const stops = [options.subscribe(changed), clock.every(REDRAW_EVERY_MS, changed)];
    changed();
    return () => {
      for (const stop of stops) stop();
    };
  });
}

/** However many changes come while one drawing is under way, one more follows. */
function createRedraw(stream: OwnStream, { draw }: LivePartsOptions): () => Promise<void> {
  const sent = new Map<string, string>();
  let isDrawing = false;
  let isStale = false;
  return async () => {
    isStale = true;
    if (isDrawing) return;
    isDrawing = true;
    try {
      while (isStale) {
        isStale = false;
        if (await stream.isOver()) return;
        const parts = await draw();
        // Drawing may have waited for a broker.
        if (await stream.isOver()) return;
        if (parts === undefined) {
          stream.reload();
          return;
        }
        for (const { id, content } of parts) {
          const html = renderToString(content);
          if (sent.get(id) !== html) stream.replace(id, html);
          sent.set(id, html);
        }
      }
    } finally {
      isDrawing = false;
    }
  };
}
