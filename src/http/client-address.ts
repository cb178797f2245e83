import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Headers by which proxies say for whom they speak. */
export const FORWARDING_HEADERS = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-real-ip",
];

/** Most hops of `X-Forwarded-For` that are looked at; a longer header is somebody's joke. */
const MAX_HOPS = 20;

/** Finds the client's address of a request. */
export type ClientAddress = (req: IncomingMessage) => string | undefined;

/**
 * Makes the finder: the peer's address, or, where the peer is a trusted proxy, the last address in `X-Forwarded-For`
 * that isn't one. `trusted` holds addresses and CIDR ranges; throws `RangeError` for anything else. `onUntrusted` is called
 * once, when a peer that isn't trusted first names an address in whose name it speaks.
 */
export function createClientAddress(trusted: readonly string[], onUntrusted?: () => void): ClientAddress {
  const proxies = new BlockList();
  for (const entry of trusted) addRange(proxies, entry);
  const isProxy = (address: string): boolean => proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  let isTold = false;
  return (req) => {
    const peer = plain(req.socket.remoteAddress);
    if (peer === undefined || trusted.length === 0 || !isProxy(peer)) {
      if (!isTold && FORWARDING_HEADERS.some((name) => req.headers[name] !== undefined)) {
        isTold = true;
        onUntrusted?.();
      }
      return peer;
    }
    const hops = forwardedFor(req).slice(-MAX_HOPS);
    let client = peer;
    for (const hop of hops.toReversed()) {
      if (isIP(hop) === 0) break;
      client = hop;
      if (!isProxy(hop)) break;
    }
    return client;
  };
}

function forwardedFor(req: IncomingMessage): string[] {
  const header = req.headers["x-forwarded-for"] ?? [];
  const text = typeof header === "string" ? header : header.join(",");
  return text.split(",").flatMap((part) => plain(part.trim()) ?? []);
}

/** An IPv4 address that came over an IPv6 socket reads as IPv4. */
function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, "");
}

function addRange(list: BlockList, entry: string): void {
  const [address = "", prefix] = entry.split("/");
  const family = isIP(address);
  const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
  if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
    throw new RangeError(`not an address or a CIDR range: ${entry}`);
  }
  list.addSubnet(address, bits, family === 6 ? "ipv6" : "ipv4");
}
