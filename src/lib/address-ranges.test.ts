import { describe, expect, it } from "vitest";

import { addressRanges, parseRange, plainAddress } from "./address-ranges.ts";

describe("ranges of addresses", () => {
  const ranges = addressRanges(["10.0.0.0/8", "192.168.1.5", "fd00::/8"]);
  it.each(["10.0.0.0", "10.255.255.255", "192.168.1.5", "fd12::1", "::ffff:10.1.2.3", "::ffff:a01:203", "fd00::1%eth0"])(
    "hold %s",
    (address) => expect(ranges.has(address)).toBe(true),
  );
  it.each(["11.0.0.0", "192.168.1.6", "fe80::1", "::ffff:11.1.2.3", "", "localhost"])("do not hold %s", (address) =>
    expect(ranges.has(address)).toBe(false),
  );

  it("are read strictly", () => {
    expect(parseRange("10.0.0.0/8")).toEqual({ address: "10.0.0.0", bits: 8, family: "ipv4" });
    expect(parseRange("::1")).toEqual({ address: "::1", bits: 128, family: "ipv6" });
    for (const text of ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/", "x/8", "010.0.0.1/8"])
      expect(parseRange(text), text).toBeUndefined();
    expect(() => addressRanges(["nowhere"])).toThrow(RangeError);
    expect(plainAddress("0:0:0:0:0:ffff:7f00:1")).toBe("127.0.0.1");
  });
});
