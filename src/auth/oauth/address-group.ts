import { isIP } from "node:net";

/** Whom an address stands for in a limit: itself for IPv4, its /64 for IPv6, of which one subscriber has all. */
export function addressGroup(address: string | undefined): string {
  if (address === undefined) return "unknown";
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.toLowerCase().split("%", 1)[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return `${[...groups, ...Array<string>(missing).fill("0"), ...rest].slice(0, 4).join(":")}::/64`;
}
