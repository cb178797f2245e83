import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";

import { addressRanges, parseRange, plainAddress } from "../lib/address-ranges.ts";
import { GatewayError } from "../lib/errors.ts";
import { isPublicAddress } from "../lib/public-address.ts";
import { beforeAbort, resolveBySystem, type ResolveAddresses } from "../lib/resolve-addresses.ts";

/** Decides which addresses that a person named may be reached from this machine. */
export interface HostPolicy {
  /** False where nobody may name any host. */
  readonly isOpen: boolean;
  /**
   * Reads an address that a person entered, before anything is looked up. Throws `connection_not_ready` when it is no address
   * of a web service, or names a host that is refused whatever it resolves to.
   */
  checkUrl(text: string): URL;
  /**
   * Looks the host of a checked URL up, once, and answers the addresses to connect to, one after the other: exactly these,
   * never the name. Throws `connection_not_ready` when one of its addresses is refused, and `upstream_unavailable` when it has none.
   */
  resolve(url: URL, signal: AbortSignal): Promise<readonly LookupAddress[]>;
}

export interface HostPolicyOptions {
  /** Host names, `*.example.com`, addresses and CIDR ranges. Checked by `hostRuleFault` before. */
  readonly hosts: readonly string[];
  /** True on a gateway for its own machine: then loopback and private addresses may be named as well. */
  readonly isLocal: boolean;
  readonly resolve?: ResolveAddresses;
}

/**
 * Never reached, whatever the settings say: unspecified, link-local (where clouds keep their metadata services), multicast and
 * broadcast, AWS's metadata over IPv6, and forms that hide an IPv4 address (compatible, NAT64, 6to4, Teredo).
 */
const REFUSED = addressRanges([
  "0.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/128",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
  "fd00:ec2::/32",
  "64:ff9b::/32",
  "2001::/32",
  "2002::/16",
]);
/** `::a.b.c.d`, the old IPv4-compatible form, without `::1`. */
const COMPATIBLE = addressRanges(["::/96"]);
const LOOPBACK = addressRanges(["127.0.0.0/8", "::1"]);
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
/** A host has one address of each family, or a few; more are not tried. */
const MAX_ADDRESSES = 4;
const HOST_NAME = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Makes the policy of a gateway. */
export function createHostPolicy(options: HostPolicyOptions): HostPolicy {
  const rules = options.hosts.map((host) => host.toLowerCase());
  const ranges = rules.filter((rule) => parseRange(rule) !== undefined);
  const named = addressRanges(options.isLocal ? [...ranges, "127.0.0.0/8", "::1", ...PRIVATE] : ranges);
  const names = new Set(rules.filter((rule) => parseRange(rule) === undefined && !rule.startsWith("*.")));
  const endings = rules.filter((rule) => rule.startsWith("*.")).map((rule) => rule.slice(1));
  const find = options.resolve ?? resolveBySystem;
  const allows = (host: string, address: string): boolean => {
    if (isRefused(address)) return false;
    if (named.has(address) || names.has(host)) return true;
    // Whoever may add names to a domain shall not lead this machine to itself or its neighbours by them.
    return endings.some((ending) => host.endsWith(ending)) && isPublicAddress(plainAddress(address));
  };
  return {
    isOpen: options.isLocal || rules.length > 0,
    checkUrl: (text) => {
      const url = readUrl(text);
      const host = hostOf(url);
      if (isIP(host) !== 0 && !allows(host, host)) throw refused(host);
      return url;
    },
    resolve: async (url, signal) => {
      const host = hostOf(url);
      const addresses = isIP(host) === 0 ? await lookUp(find, host, signal) : [{ address: host, family: isIP(host) }];
      // One bad among good ones is enough: a name that changes its mind gets no second chance.
      if (!addresses.every(({ address }) => allows(host, address))) throw refused(host);
      if (addresses.length === 0) throw unknownHost(host);
      if (url.protocol === "http:" && !addresses.every(({ address }) => isLoopbackAddress(address))) throw notEncrypted(host);
      return addresses.slice(0, MAX_ADDRESSES);
    },
  };
}

/** Tells what is wrong with one entry of the setting; undefined when nothing is. */
export function hostRuleFault(rule: string): string | undefined {
  const range = parseRange(rule);
  if (range !== undefined) return range.bits === 0 ? `${rule} would let anybody name any address` : undefined;
  // What ends in digits is meant as an address; a URL parser would read it as one, too.
  if (/(?:^|\.)\d+$/.test(rule) || rule.includes("/") || !HOST_NAME.test(rule))
    return `${rule} is none of: a host name, *.example.com, an address, a CIDR range`;
  return undefined;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK.has(address);
}

function isRefused(address: string): boolean {
  const plain = plainAddress(address);
  return REFUSED.has(plain) || (isIP(plain) === 6 && plain !== "::1" && COMPATIBLE.has(plain));
}

function readUrl(text: string): URL {
  const url = URL.parse(text.trim());
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw badAddress("is not one of a web service", "Enter an address that begins with https://, such as https://localhost:5000.");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw badAddress("holds more than a place", "Enter it without a user name, a question mark or a number sign.");
  return url;
}

/** Without the brackets of IPv6 and the last dot of a full name. The URL parser has written decimal and octal forms of IPv4 out. */
function hostOf(url: URL): string {
  return url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
}

async function lookUp(find: ResolveAddresses, host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  try {
    return await beforeAbort(find(host), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw unknownHost(host, cause);
  }
}

function badAddress(why: string, whatToDo: string): GatewayError {
  return new GatewayError("connection_not_ready", `The connection's address ${why}.`, { whatToDo });
}

function refused(host: string): GatewayError {
  return new GatewayError("connection_not_ready", `This gateway may not connect to ${host}.`, {
    whatToDo: "Ask whoever runs this gateway to add the host to its setting GATEWAY_HOSTS, or enter another address.",
  });
}

function notEncrypted(host: string): GatewayError {
  return badAddress(
    `has no encryption, and ${host} is another machine`,
    "Enter an address that begins with https://; plain http:// is for this machine alone.",
  );
}

function unknownHost(host: string, cause?: unknown): GatewayError {
  return new GatewayError("upstream_unavailable", `There is no host ${host}.`, { whatToDo: "Check the connection's address.", cause });
}
