import type { Socket } from "node:net";
import { callbackify } from "node:util";

import { Agent, fetch as undiciFetch } from "undici";

import { createSocketEdge, type SocketEdge } from "../ibkr/socket-edge.ts";
import { connectGuarded, type GuardedTarget } from "./guarded-connect.ts";

/** The network edge to one address that a person named: nothing of it reaches any other. */
export interface GuardedEdge {
  /** Refuses every other origin, and follows no redirect. */
  readonly fetch: typeof fetch;
  readonly socket: SocketEdge;
}

/** Most connections at once: IBKR's own limit of requests at a time is lower. */
const MAX_CONNECTIONS = 20;
/** Both below what a Client Portal Gateway keeps a quiet connection. */
const KEEP_ALIVE_MS = 20_000;
const HEADERS_LIMIT_MS = 60_000;

/**
 * Makes the edge: each connection looks the host up once, goes to exactly an address that the policy allows, and proves the pinned
 * certificate before a byte of HTTP is sent.
 */
export function createGuardedEdge(target: GuardedTarget): GuardedEdge {
  const { origin } = target.url;
  const dial = callbackify(() => connectGuarded(target));
  const agent = new Agent({
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_LIMIT_MS,
    bodyTimeout: HEADERS_LIMIT_MS,
    connect: (_options, callback) =>
      dial((error: Error | null, socket) => (error === null ? callback(null, socket) : callback(error, null))),
  });
  const guardedFetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin) throw new Error(`a request for ${url.host} came to the way to ${target.url.host}`);
    // The same standard twice: node's built-in fetch is an older copy of this library, and its types differ in names alone.
    const options = { ...init, redirect: "manual", dispatcher: agent } as Parameters<typeof undiciFetch>[1];
    return await undiciFetch(url, options);
  };
  const open = createSocketEdge({
    createConnection: (_options: unknown, callback?: (error: Error | null, socket: Socket) => void) => {
      dial((error: Error | null, socket) => callback?.(error, socket));
      return undefined;
    },
  });
  const socket: SocketEdge = (url, options) => {
    const asked = new URL(url);
    if (asked.host === target.url.host) return open(url, options);
    queueMicrotask(() => options.listener.ended("the socket is for another address"));
    return { send: () => undefined, end: () => undefined };
  };
  return { fetch: guardedFetch, socket };
}
