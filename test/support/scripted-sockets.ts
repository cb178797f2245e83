import type { SocketEdge } from "../../src/ibkr/socket-edge.ts";

/** A socket whose other side is the test. */
export interface ScriptedSocket {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Frames that were sent, in order. */
  readonly sent: string[];
  /** True once our side closed it. */
  readonly hasEnded: () => boolean;
  /** Sends a frame: an object as JSON, a text as it is. */
  say(frame: object | string): void;
  /** Sends IBKR's greeting. */
  greet(userName?: string): void;
  /** Breaks the connection. */
  cut(reason?: string): void;
}

/** A network of sockets for tests; every socket that was opened, in order. */
export interface ScriptedSockets {
  readonly edge: SocketEdge;
  readonly all: readonly ScriptedSocket[];
  /** The socket that was opened last. */
  last(): ScriptedSocket;
}

/** Makes it. */
export function scriptedSockets(): ScriptedSockets {
  const all: ScriptedSocket[] = [];
  const edge: SocketEdge = (url, { headers, listener }) => {
    const sent: string[] = [];
    let hasEnded = false;
    const say = (frame: object | string) => listener.text(typeof frame === "string" ? frame : JSON.stringify(frame));
    all.push({
      url,
      headers,
      sent,
      hasEnded: () => hasEnded,
      say,
      greet: (userName = "user123") => say({ topic: "system", success: userName, isFT: false, isPaper: true }),
      cut: (reason = "cut") => listener.ended(reason),
    });
    return {
      send: (text) => void sent.push(text),
      end: () => {
        hasEnded = true;
      },
    };
  };
  return {
    edge,
    all,
    last: () => {
      const last = all.at(-1);
      if (last === undefined) throw new Error("no socket was opened");
      return last;
    },
  };
}
