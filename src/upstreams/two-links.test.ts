import { expect, it } from "vitest";

import { callOptions, simulatedLink } from "../../test/support/simulated-link.ts";

it("two links of one user share its budget: what IBKR answers once in five seconds is asked by the second later, without a 429", async () => {
  const simulated = await simulatedLink();
  const { link, sent, clock } = simulated;
  const second = simulated.connect();
  try {
    const startedAt = clock.now();
    const accounts = await Promise.all([link.accounts(callOptions("one")), second.accounts(callOptions("two"))]);
    expect(accounts[1]).toEqual(accounts[0]);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(5000);
    expect(sent.filter(({ path }) => path === "/portfolio/accounts")).toHaveLength(2);
    expect(sent.filter(({ status }) => status === 429)).toEqual([]);
  } finally {
    await second.close();
    await simulated.close();
  }
});
