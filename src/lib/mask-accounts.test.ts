import { expect, test } from "vitest";

import { maskAccounts } from "./mask-accounts.ts";

test.each([
  ["no account DU7100001.", "no account DU…01."],
  ['{"accounts":["U1234567","DUO123456","F7654321C"]}', '{"accounts":["U…67","DUO…56","F…21"]}'],
  ["line\\nU1234567", "line\\nU…67"],
])("the account numbers of %s are masked", (text, masked) => {
  expect(maskAccounts(text)).toBe(masked);
});

test.each(["req_1bee2bdafec8177733", "AAPL US0378331005", "1795408509893", "con_8d12b0e2afb01b2c60e54c67", "UTF8", "I am 12345"])(
  "%s stays as it is",
  (text) => {
    expect(maskAccounts(text)).toBe(text);
  },
);
