import { describe, expect, it } from "vitest";

import { createHostPolicy, hostRuleFault } from "./host-policy.ts";

const signal = new AbortController().signal;

/** A policy whose host names resolve to these addresses. */
function policy(hosts: readonly string[], addresses: readonly string[] = [], isLocal = false) {
  const resolve = () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
  return createHostPolicy({ hosts, isLocal, resolve });
}

const reach = async (made: ReturnType<typeof policy>, url: string): Promise<readonly string[]> =>
  (await made.resolve(made.checkUrl(url), signal)).map(({ address }) => address);

describe("which hosts may be named", () => {
  it("is none by default", async () => {
    expect(policy([]).isOpen).toBe(false);
    for (const url of ["https://127.0.0.1", "https://10.0.0.1", "https://8.8.8.8", "https://[::1]"])
      expect(() => policy([]).checkUrl(url), url).toThrow(/may not connect/);
    await expect(reach(policy([], ["8.8.8.8"]), "https://gateway.example")).rejects.toThrow(/may not connect to gateway\.example/);
  });

  it.each([
    "https://localhost:5000",
    "https://127.0.0.1:5000",
    "https://[::1]:5000",
    "http://127.0.0.1",
    "https://192.168.1.5",
    "https://[fd12::1]",
  ])("are loopback and private ones on a gateway for its own machine: %s", async (url) => {
    expect(policy([], [], true).isOpen).toBe(true);
    expect(await reach(policy([], ["127.0.0.1", "::1"], true), url)).not.toEqual([]);
    await expect(reach(policy([], ["8.8.8.8"], true), "https://gateway.example")).rejects.toThrow(/may not connect/);
  });

  it("are those that the setting names, and those in its ranges", async () => {
    expect(await reach(policy(["Gateway.Example"], ["10.1.2.3"]), "https://gateway.example.")).toEqual(["10.1.2.3"]);
    expect(await reach(policy(["10.0.0.0/8"], ["10.1.2.3"]), "https://anything.example")).toEqual(["10.1.2.3"]);
    expect(await reach(policy(["10.0.0.0/8"]), "https://10.9.9.9")).toEqual(["10.9.9.9"]);
    expect(await reach(policy(["fd00:1::/32"]), "https://[fd00:1::5]")).toEqual(["fd00:1::5"]);
    await expect(reach(policy(["gateway.example"], ["10.1.2.3"]), "https://other.example")).rejects.toThrow(/may not connect/);
    await expect(reach(policy(["gateway.example"], ["10.1.2.3"]), "https://evilgateway.example")).rejects.toThrow(/may not connect/);
  });

  it("are public ones below a domain, so that who adds names to it can't lead inside", async () => {
    const made = (addresses: readonly string[]) => policy(["*.example.com"], addresses);
    expect(await reach(made(["93.184.216.34"]), "https://a.b.example.com")).toEqual(["93.184.216.34"]);
    await expect(reach(made(["93.184.216.34"]), "https://example.com")).rejects.toThrow(/may not connect/);
    await expect(reach(made(["93.184.216.34"]), "https://badexample.com")).rejects.toThrow(/may not connect/);
    await expect(reach(made(["127.0.0.1"]), "https://a.example.com")).rejects.toThrow(/may not connect/);
    await expect(reach(made(["10.0.0.1"]), "https://a.example.com")).rejects.toThrow(/may not connect/);
  });
});

describe("what is never reached", () => {
  const FORBIDDEN = [
    "169.254.169.254",
    "169.254.1.1",
    "0.0.0.0",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2001:0:a9fe:a9fe::1",
  ];
  it.each(FORBIDDEN)("is %s, by whatever rule and name", async (address) => {
    const rules = ["gateway.example", "0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"];
    await expect(reach(policy(rules, [address], true), "https://gateway.example")).rejects.toThrow(/may not connect/);
    // One bad answer among good ones is enough, in any order.
    await expect(reach(policy(rules, ["93.184.216.34", address], true), "https://gateway.example")).rejects.toThrow(/may not connect/);
    await expect(reach(policy(rules, [address, "93.184.216.34"], true), "https://gateway.example")).rejects.toThrow(/may not connect/);
  });

  it.each([
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[fd00:ec2::254]/",
  ])("is a metadata service, however it is written: %s", (url) => {
    expect(() => policy([], [], true).checkUrl(url)).toThrow(/may not connect/);
  });

  it("is what differs from one answer of DNS to the next", async () => {
    const answers = [["127.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["169.254.169.254"]];
    const made = createHostPolicy({
      hosts: ["127.0.0.0/8"],
      isLocal: false,
      resolve: () => Promise.resolve((answers.shift() ?? []).map((address) => ({ address, family: 4 }))),
    });
    expect(await reach(made, "https://rebinding.example")).toEqual(["127.0.0.1"]);
    await expect(reach(made, "https://rebinding.example")).rejects.toThrow(/may not connect/);
    await expect(reach(made, "https://rebinding.example")).rejects.toThrow(/may not connect/);
    await expect(reach(made, "https://rebinding.example")).rejects.toThrow(/no host/);
  });

  it.each([
    ["ftp://127.0.0.1", /begins with https/],
    ["localhost:5000", /begins with https/],
    ["nowhere", /begins with https/],
    ["https://user:secret@127.0.0.1", /without a user name/],
    ["https://127.0.0.1/?x=1", /without a user name/],
    ["https://127.0.0.1/#x", /without a user name/],
  ])("is what is no address of a web service: %s", (url, whatToDo) => {
    expect(() => policy([], [], true).checkUrl(url)).toThrow(
      expect.objectContaining({ code: "connection_not_ready", whatToDo: expect.stringMatching(whatToDo) }),
    );
  });

  it("is another machine without encryption", async () => {
    await expect(reach(policy(["10.0.0.0/8"]), "http://10.0.0.1")).rejects.toThrow(/no encryption/);
    await expect(reach(policy(["gateway.example"], ["127.0.0.1", "10.0.0.1"]), "http://gateway.example")).rejects.toThrow(/no encryption/);
  });

  it("is a name without an address, or one that is not found in time", async () => {
    const failing = createHostPolicy({ hosts: ["a.example"], isLocal: false, resolve: () => Promise.reject(new Error("ENOTFOUND")) });
    await expect(reach(failing, "https://a.example")).rejects.toMatchObject({ code: "upstream_unavailable" });
    const slow = createHostPolicy({ hosts: ["a.example"], isLocal: false, resolve: () => new Promise(() => undefined) });
    await expect(slow.resolve(new URL("https://a.example"), AbortSignal.timeout(20))).rejects.toThrow(/timeout|aborted/i);
  });
});

describe("an entry of the setting", () => {
  it.each(["gateway.example", "*.example.com", "localhost", "10.0.0.0/8", "192.168.1.5", "fd00::/8", "::1", "my_gateway"])(
    "may be %s",
    (rule) => expect(hostRuleFault(rule)).toBeUndefined(),
  );
  it.each([
    "https://gateway.example",
    "gateway.example:5000",
    "*",
    "*.*.example",
    "a.*.example",
    "10.0.0.0/33",
    "0.0.0.0/0",
    "::/0",
    "10.0.0",
    "999.1.1.1",
    "a b",
  ])("is not %s", (rule) => expect(hostRuleFault(rule)).toContain(rule));
});
