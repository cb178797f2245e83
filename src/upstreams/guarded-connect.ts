import type { LookupAddress } from "node:dns";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

import { GatewayError } from "../lib/errors.ts";
import type { HostPolicy } from "./host-policy.ts";

/** An address that a person named, as it may be connected to. */
export interface GuardedTarget {
  /** Checked by the policy before. */
  readonly url: URL;
  readonly hostPolicy: HostPolicy;
  /** SHA-256 of the one certificate that is trusted, in upper-case hex with colons; without one, certificates are checked as usual. */
  readonly fingerprint: string | undefined;
}

/** Look-up, connection and handshake together. */
const LIMIT_MS = 10_000;

/**
 * Opens a connection for one target. Its host is looked up once, every address is checked by the policy, and the connection goes to one
 * of exactly these. Rejects before a byte of HTTP: with the policy's `GatewayError`, with `connection_not_ready` when the certificate
 * isn't the pinned one, and with node's error when nobody answers.
 */
export async function connectGuarded(target: GuardedTarget, signal: AbortSignal = AbortSignal.timeout(LIMIT_MS)): Promise<Socket> {
  const { url, fingerprint } = target;
  if (url.protocol === "http:")
    return await firstOf(target, signal, (address) => opened(connect({ ...address, port: portOf(url) }), "connect", signal));
  return await firstOf(target, signal, async (address) => {
    const socket = connectTls({
      ...address,
      port: portOf(url),
      ...serverNameOf(url),
      rejectUnauthorized: fingerprint === undefined,
      ALPNProtocols: ["http/1.1"],
    });
    await opened(socket, "secureConnect", signal);
    if (fingerprint !== undefined) checkFingerprint(socket, target, fingerprint);
    return socket;
  });
}

/** The certificate that a target shows, whatever it is; nothing else is asked. Rejects as `connectGuarded` does. */
export async function peerCertificateOf(target: Omit<GuardedTarget, "fingerprint">, signal: AbortSignal): Promise<Buffer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const socket = await firstOf(target, limit, async (address) => {
    const made = connectTls({ ...address, port: portOf(target.url), ...serverNameOf(target.url), rejectUnauthorized: false });
    await opened(made, "secureConnect", limit);
    return made;
  });
  try {
    return socket.getPeerCertificate().raw;
  } finally {
    socket.destroy();
  }
}

interface Address {
  readonly host: string;
  readonly family: number;
}

/** Tries one address after the other; what the last one failed with is what is told. */
async function firstOf<S>(
  target: Pick<GuardedTarget, "url" | "hostPolicy">,
  signal: AbortSignal,
  dial: (address: Address) => Promise<S>,
): Promise<S> {
  const addresses: readonly LookupAddress[] = await target.hostPolicy.resolve(target.url, signal);
  let failure: unknown = new Error("the host has no address");
  for (const { address, family } of addresses) {
    try {
      return await dial({ host: address, family });
    } catch (error) {
      failure = error;
      if (signal.aborted || error instanceof GatewayError) break;
    }
  }
  throw failure;
}

function opened<S extends Socket>(socket: S, event: "connect" | "secureConnect", signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      socket.destroy();
      const late = Object.assign(new Error("the connection was not made in time"), { code: "ETIMEDOUT", syscall: "connect" });
      reject(late);
    };
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener("abort", stop, { once: true });
    const end = (): void => signal.removeEventListener("abort", stop);
    socket.once("error", (error) => {
      end();
      // Whoever comes too late must not bring the process down.
      socket.on("error", () => undefined);
      reject(error);
    });
    socket.once(event, () => {
      end();
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

function checkFingerprint(socket: TLSSocket, { url }: GuardedTarget, pinned: string): void {
  const shown = socket.getPeerCertificate().fingerprint256;
  if (shown === pinned) return;
  socket.destroy();
  throw new GatewayError(
    "connection_not_ready",
    `The certificate at ${url.host} is not the one that was confirmed: its SHA-256 fingerprint is now ${shown}.`,
    {
      whatToDo:
        "Nothing was sent. If the gateway there got a new certificate (reinstalled, renewed), compare this fingerprint with the gateway's own and confirm it by setting the connection up anew. If not, somebody else answers at this address.",
      details: { fingerprint: shown, confirmed: pinned },
    },
  );
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** An address is no server name (RFC 6066). */
function serverNameOf(url: URL): { servername?: string } {
  const name = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(name) === 0 ? { servername: name } : {};
}
