import type { BrowserSessions } from "../auth/sign-in/browser-session.ts";
import type { Clock } from "../lib/clock.ts";
import { background, type Log } from "../lib/log.ts";
import { type EventStream, eventStream } from "../pages/event-stream.ts";
import type { PageRequest } from "../pages/page-env.ts";
import type { OwnPage } from "./console-visits.ts";

export interface OwnStreamDeps {
  readonly sessions: Pick<BrowserSessions, "peek">;
  readonly clock: Clock;
  readonly log: Log;
}

/** A stream of somebody who is signed in. */
export interface OwnStream extends EventStream {
  /** Ends the stream when this person is signed out by now, and tells so: asked before anything of theirs is told. */
  isOver(): Promise<boolean>;
}

/** Without any change to tell, a session that is over is noticed within this. */
const LOOK_EVERY_MS = 10_000;

/**
 * Answers a live page's stream for those who are signed in. Everybody else gets a 401 and no redirection, since a stream's reader gives
 * up at anything but 200; who asks for the head alone gets that, since they would hold a place for nothing. A stream is no use of the
 * session: one that is left alone with an open page still ends.
 */
export function ownStream(
  deps: Pick<OwnStreamDeps, "sessions">,
  tell: (page: OwnPage) => Promise<Response>,
): (c: PageRequest) => Promise<Response> {
  return async (c) => {
    const user = await deps.sessions.peek(c.req.header("cookie"));
    if (user === undefined) return c.json({ error: "Sign in first." }, 401);
    if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": "text/event-stream" });
    return await tell({ c, user });
  };
}

/** Makes the stream; it ends with the session that it was asked for in, and the page loads itself again, which asks to sign in. */
export function beginOwnStream(c: PageRequest, deps: OwnStreamDeps, begin: (stream: OwnStream) => () => void): Response {
  const { sessions, clock, log } = deps;
  const cookie = c.req.header("cookie");
  return eventStream(c, clock, (stream) => {
    const isOver = async (): Promise<boolean> => {
      if ((await sessions.peek(cookie)) !== undefined) return false;
      stream.reload();
      stream.close();
      return true;
    };
    const stops = [clock.every(LOOK_EVERY_MS, () => background(isOver(), log, "looking whether a live page's reader is signed in"))];
    stops.push(begin({ ...stream, isOver }));
    return () => stops.forEach((stop) => stop());
  });
}
