import { expect, it } from "vitest";

import { portfolioPath, readPortfolioView, readSecurityView, securityPath, waitingForChart, waitsForChart } from "./portfolio-address.ts";

const query = (text: string) => {
  const parameters = new URLSearchParams(text);
  return (name: string) => parameters.get(name) ?? undefined;
};

it("carries a view in an address and back, leaving out what is usual", () => {
  expect(portfolioPath("con_1", readPortfolioView(query("")))).toBe("/console/connections/con_1/portfolio");
  const text = "account=DU1&sort=-pnl&period=1Y";
  expect(portfolioPath("con_1", readPortfolioView(query(text)), "/events")).toBe(`/console/connections/con_1/portfolio/events?${text}`);
  expect(securityPath("con_1", 7, readSecurityView(query("range=5Y&account=DU1")))).toBe(
    "/console/connections/con_1/securities/7?account=DU1&range=5Y",
  );
});

it("takes what can't be meant as left out", () => {
  const view = readPortfolioView(query("account=../x&sort=toString&period=9Y"));
  expect(portfolioPath("con_1", view)).toBe("/console/connections/con_1/portfolio");
  expect(readSecurityView(query("range=1D;")).range.name).toBe("6M");
});

it("tells of a page that waits for its chart", () => {
  expect(waitingForChart("/a")).toBe("/a?waits=chart");
  expect(waitingForChart("/a?b=c")).toBe("/a?b=c&waits=chart");
  expect([waitsForChart(query("waits=chart")), waitsForChart(query(""))]).toEqual([true, false]);
});
