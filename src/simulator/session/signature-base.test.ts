import { describe, expect, test } from "vitest";

import vectors from "./oauth.vectors.json" with { type: "json" };
import { signatureBases } from "./signature-base.ts";

const parameters = new Map([...Object.entries(vectors.hmac_request.params), ["oauth_signature", "never signed"] as const]);
const pairs = Object.entries(vectors.hmac_request.params).map((pair) => pair.join("="));
const origin = "https://api.ibkr.com";

function basesOf(path: string, query = "", origins = [origin]): readonly string[] {
  return [...signatureBases({ method: "GET", origins, path, query, parameters })];
}

describe("the base strings of a request", () => {
  test("begin with the known one", () => {
    expect(basesOf("/v1/api/portfolio/accounts")).toEqual([vectors.hmac_request.base_string]);
  });

  test("hold one for each origin that the client may have meant", () => {
    const bases = basesOf("/v1/api/tickle", "", ["http://localhost:5000", origin]);
    expect(bases.map((base) => decodeURIComponent(base.split("&")[1] ?? ""))).toEqual([
      "http://localhost:5000/v1/api/tickle",
      "https://api.ibkr.com/v1/api/tickle",
    ]);
  });

  const path = "/v1/api/iserver/marketdata/snapshot";
  const url = encodeURIComponent(origin + path);

  test.each([
    ["left out", `GET&${url}&${encodeURIComponent(pairs.join("&"))}`],
    [
      "merged into the parameters",
      `GET&${url}&${encodeURIComponent(["conids=8314,265598", ...[...pairs, "fields=31"].toSorted()].join("&"))}`,
    ],
    [
      "merged as RFC 5849 has it, escaped twice",
      `GET&${url}&${encodeURIComponent(["conids=8314%2C265598", ...[...pairs, "fields=31"].toSorted()].join("&"))}`,
    ],
    [
      "standing in the URL",
      `GET&${encodeURIComponent(`${origin}${path}?conids=8314%2C265598&fields=31`)}&${encodeURIComponent(pairs.join("&"))}`,
    ],
    [
      "standing in the URL before it was escaped",
      `GET&${encodeURIComponent(`${origin}${path}?conids=8314,265598&fields=31`)}&${encodeURIComponent(pairs.join("&"))}`,
    ],
  ])("hold the one with the query %s", (_convention, base) => {
    expect(basesOf(path, "conids=8314%2C265598&fields=31")).toContain(base);
  });

  test("hold a space in a query as both kinds of escape", () => {
    const bases = basesOf("/v1/api/iserver/secdef/search", "symbol=BRK+B");
    const merged = [...pairs, "symbol=BRK B"].toSorted().join("&");
    expect(bases.filter((base) => base.endsWith(encodeURIComponent(merged)))).toHaveLength(1);
    expect(bases.filter((base) => base.endsWith(encodeURIComponent(merged).replaceAll("%20", "+")))).toHaveLength(1);
  });

  test("are each given once", () => {
    const bases = basesOf("/v1/api/iserver/secdef/search", "symbol=BRK+B'(1)");
    expect(new Set(bases).size).toBe(bases.length);
  });
});
