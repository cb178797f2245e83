import { BlockList, isIP } from "node:net";

/** IPv4 ranges that are not the public internet (IANA special-purpose registry), and multicast. */
const SPECIAL_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
];
/** Special ranges inside 2000::/3, the only block of public unicast: Teredo and others, documentation, 6to4, AS112. */
const SPECIAL_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"];
const PUBLIC_IPV6 = ["2000::/3"];

const special = blockList(SPECIAL_IPV4, "ipv4");
const specialIpv6 = blockList(SPECIAL_IPV6, "ipv6");
const publicIpv6 = blockList(PUBLIC_IPV6, "ipv6");

/**
 * True for an address of the public internet. Everything that may mean this machine, its network or a translation to
 * them is not: loopback, private, link-local and metadata services, IPv4-mapped, NAT64, 6to4. False for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, "ipv4");
    case 6:
      return publicIpv6.check(address, "ipv6") && !specialIpv6.check(address, "ipv6");
    default:
      return false;
  }
}

function blockList(ranges: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}
