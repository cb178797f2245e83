import { expect, test } from "vitest";

import { type ErrorCode, GatewayError } from "../lib/errors.ts";
import { createErrorLink } from "./error-links.ts";

const linkOf = (code: ErrorCode, page?: string): string | undefined =>
  createErrorLink(() => "https://gateway.example.com")(
    new GatewayError(code, "It failed.", { whatToDo: "Mend it.", ...(page === undefined ? {} : { link: page }) }),
    { connectionId: "con_1" },
  );

test("a failure of the connection leads to the page where its owner mends it", () => {
  for (const code of [
    "connection_frozen",
    "connection_not_ready",
    "connection_paused",
    "live_trading_disabled",
    "session_competing",
  ] as const)
    expect(linkOf(code)).toBe("https://gateway.example.com/console/connections/con_1");
});

test("a page that the failure names itself comes first", () => {
  expect(linkOf("connection_not_ready", "https://ibkr.test/login")).toBe("https://ibkr.test/login");
});

test("other failures lead nowhere", () => {
  expect(linkOf("contract_not_found")).toBeUndefined();
});
