import { setImmediate } from "node:timers/promises";

import { WebSocket } from "ws";

import { isRecord, parseLossless } from "../../lib/json.ts";
import type { TestClient } from "../test-client.ts";

/** How a test opens a socket, where that differs from the usual way. */
export interface TestSocketOptions {
  readonly cookie?: string;
  readonly oauthToken?: string;
  readonly userAgent?: string;
}

/** A frame as a test reads it. */
export type TestFrame = Readonly<Record<string, unknown>>;

/** A WebSocket client for tests. */
export interface TestSocket {
  /** Every frame so far. */
  readonly frames: readonly TestFrame[];
  /** Resolves with the close code once the connection is gone. */
  readonly closed: Promise<number>;
  send(text: string): void;
  sendBytes(bytes: Buffer): void;
  /** Takes the next frame that fits out of those not taken yet, waiting for it. Rejects when the connection closes first. */
  next(fits: string | ((frame: TestFrame) => boolean)): Promise<TestFrame>;
  /** Waits until everything that was sent both ways so far has arrived. */
  settled(): Promise<void>;
  close(): void;
  /** Stops reading, and reads on. */
  pause(): void;
  resume(): void;
}

/** How many turns of the event loop a frame on loopback may take. */
const MAX_TURNS = 20_000;

/** Opens a socket of the client's session, without waiting for the greeting. Rejects with the HTTP status when the upgrade is refused. */
export async function openTestSocket(client: TestClient, options: TestSocketOptions = {}): Promise<TestSocket> {
  const { baseUrl, credentials } = client.simulator;
  const cookie = options.cookie ?? `api=${await sessionIdOf(client)}`;
  const token = options.oauthToken ?? credentials.accessToken;
  const headers = { "user-agent": options.userAgent ?? "test-client", ...(cookie === "" ? {} : { cookie }) };
  const socket = new WebSocket(`${baseUrl.replace(/^http/, "ws")}/ws?oauth_token=${token}`, { headers });
  const frames: TestFrame[] = [];
  const taken = new Set<TestFrame>();
  let isClosed = false;
  let pongs = 0;
  socket.on("message", (data: Buffer) => {
    const frame = parseLossless(data.toString("utf8"));
    if (isRecord(frame)) frames.push(frame);
  });
  socket.on("pong", () => {
    pongs += 1;
  });
  const closed = new Promise<number>((resolve) => {
    socket.on("close", (code) => {
      isClosed = true;
      resolve(code);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("unexpected-response", (_request, response) => reject(new Error(`refused with ${response.statusCode}`)));
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);

  const until = async (happened: () => boolean, what: string): Promise<void> => {
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      if (happened()) return;
      if (isClosed) throw new Error(`closed before ${what}`);
      await setImmediate();
    }
    throw new Error(`no ${what}; there were ${JSON.stringify(frames.slice(-5))}`);
  };
  return {
    frames,
    closed,
    send: (text) => socket.send(text),
    sendBytes: (bytes) => socket.send(bytes, { binary: true }),
    next: async (fits) => {
      const matches = typeof fits === "string" ? (frame: TestFrame) => frame["topic"] === fits : fits;
      const find = (): TestFrame | undefined => frames.find((frame) => !taken.has(frame) && matches(frame));
      await until(() => find() !== undefined, `frame ${String(fits)}`);
      const found = find();
      if (found === undefined) throw new Error("the frame is gone");
      taken.add(found);
      return found;
    },
    settled: async () => {
      const before = pongs;
      socket.ping();
      await until(() => pongs > before, "pong");
    },
    close: () => socket.close(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

/** Opens a socket and lets the greeting pass. */
export async function greetedTestSocket(client: TestClient, options: TestSocketOptions = {}): Promise<TestSocket> {
  const socket = await openTestSocket(client, options);
  client.clock.advance(500);
  await socket.next("sts");
  return socket;
}

/** Lets what was sent arrive, then time pass in steps of half a second, the socket's own. */
export async function passWithSocket(client: TestClient, socket: TestSocket, ms: number): Promise<void> {
  await socket.settled();
  for (let passed = 0; passed < ms; passed += 500) client.clock.advance(500);
  await socket.settled();
}

/** The value of `tickle.session`. */
export async function sessionIdOf(client: TestClient): Promise<string> {
  client.clock.advance(1_000);
  const { json } = await client.call("POST", "/tickle");
  return isRecord(json) ? String(json["session"]) : "";
}
