import { BlockList, isIP } from "node:net";

/** A set of IP addresses, given as ranges. */
export interface AddressRanges {
  /** True for an address in one of them; false for what is no address. An IPv4 address mapped into IPv6 counts as itself. */
  has(address: string): boolean;
}

/** Longest prefix of each family. */
const BITS = { ipv4: 32, ipv6: 128 } as const;

/** Makes it from addresses and CIDR ranges. Throws a `RangeError` that names the first that is neither. */
export function addressRanges(ranges: readonly string[]): AddressRanges {
  const list = new BlockList();
  for (const range of ranges) {
    const parsed = parseRange(range);
    if (parsed === undefined) throw new RangeError(`${range} is neither an address nor a CIDR range`);
    list.addSubnet(parsed.address, parsed.bits, parsed.family);
  }
  return {
    has: (text) => {
      const address = plainAddress(text);
      const family = familyOf(address);
      return family !== undefined && list.check(address, family);
    },
  };
}

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; undefined when it is neither. */
export function parseRange(text: string): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [address = "", bitsText, ...rest] = text.split("/");
  const family = familyOf(address);
  if (family === undefined || rest.length > 0) return undefined;
  const bits = bitsText === undefined ? BITS[family] : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : -1;
  return bits < 0 || bits > BITS[family] ? undefined : { address, bits, family };
}

/** An address without its zone, and an IPv4 address that is mapped into IPv6 (`::ffff:10.0.0.1`) as that IPv4 address. */
export function plainAddress(text: string): string {
  const [address = ""] = text.split("%");
  if (isIP(address) !== 6) return address;
  // The URL parser writes every form of an IPv6 address in one way, with the last 32 bits in hex.
  const [, high = "", low = ""] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(new URL(`http://[${address}]/`).hostname) ?? [];
  if (high === "") return address;
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [first >> 8, first & 255, second >> 8, second & 255].join(".");
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  return version === 4 ? "ipv4" : version === 6 ? "ipv6" : undefined;
}
