import { describe, expect, test } from "vitest";

import { ok } from "./route.ts";
import type { Route } from "./route.ts";
import { createRouter } from "./router.ts";

const route = (method: Route["method"], path: string): Route => ({ method, path, tier: "sso", handle: () => ok({}) });

const router = createRouter([
  route("GET", "/portfolio/{accountId}/{part}"),
  route("GET", "/portfolio/positions/{conid}"),
  route("GET", "/portfolio/{accountId}/summary"),
  route("GET", "/portfolio/accounts"),
  route("POST", "/tickle"),
]);

const found = (method: string, path: string) => {
  const match = router(method, path);
  return match === undefined ? undefined : [match.route.path, match.params];
};

describe("routing", () => {
  test("prefers the route whose literal parts come first", () => {
    expect(found("GET", "/portfolio/accounts")).toEqual(["/portfolio/accounts", {}]);
    expect(found("GET", "/portfolio/DU1/summary")).toEqual(["/portfolio/{accountId}/summary", { accountId: "DU1" }]);
    expect(found("GET", "/portfolio/positions/8314")).toEqual(["/portfolio/positions/{conid}", { conid: "8314" }]);
    expect(found("GET", "/portfolio/DU1/other")).toEqual(["/portfolio/{accountId}/{part}", { accountId: "DU1", part: "other" }]);
  });

  test("decodes parameters and takes a slash at the end", () => {
    expect(found("GET", "/portfolio/A%20B/summary/")).toEqual(["/portfolio/{accountId}/summary", { accountId: "A B" }]);
  });

  test("finds nothing for another method, an unknown path, an empty part or a broken escape", () => {
    expect(found("GET", "/tickle")).toBeUndefined();
    expect(found("POST", "/tickle/more")).toBeUndefined();
    expect(found("GET", "/portfolio//summary")).toBeUndefined();
    expect(found("GET", "/portfolio/%zz/summary")).toBeUndefined();
  });

  test("refuses two routes of the same shape", () => {
    expect(() => createRouter([route("GET", "/a/{x}"), route("GET", "/a/{y}")])).toThrow("two routes for GET");
  });
});
