import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, it } from "vitest";

import { recordingLog } from "../../test/support/silent-log.ts";
import { loadAssets } from "../pages/assets.ts";
import { createPageRenderer } from "../pages/page-renderer.tsx";
import { createPageListener } from "./page-listener.ts";
import { createRouteLabels } from "./route-labels.ts";

const { log, lines } = recordingLog();
const pages = createPageRenderer({ assets: loadAssets() });
const listener = createPageListener(
  [
    { path: "/things/new", page: (c) => c.text("a new thing"), submit: async (c) => c.text((await c.req.text()).length.toString()) },
    { path: "/things/:thing", page: (c) => c.text(`the thing ${c.req.param("thing")}`) },
    { path: "/sent", submit: (c) => c.redirect("/things/1", 303) },
    { path: "/styled", page: () => pages.page({ title: "Styled" }, "Hello") },
    {
      path: "/broken",
      page: () => {
        throw new Error("the cellar is flooded");
      },
    },
  ],
  { log, pages },
);
const server = createServer((req, res) => listener(req, res, { requestId: "req_7", address: "127.0.0.1" }));
let url: string;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

it("tries routes in their order, and takes parts of a path that vary", async () => {
  expect(await (await fetch(`${url}/things/new`)).text()).toBe("a new thing");
  expect(await (await fetch(`${url}/things/a%20b`)).text()).toBe("the thing a b");
});

it("tells which methods an address takes", async () => {
  for (const [path, method, allowed] of [
    ["/things/new", "DELETE", "GET, HEAD, POST"],
    ["/things/1", "POST", "GET, HEAD"],
    ["/sent", "GET", "POST"],
  ] as const) {
    const answer = await fetch(url + path, { method, redirect: "manual" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allowed]);
  }
});

it("takes no form larger than its bound, told before or found out on the way", async () => {
  const form = (body: string | ReadableStream) => fetch(`${url}/things/new`, { method: "POST", body, duplex: "half" });
  expect(await (await form("x".repeat(65_536))).text()).toBe("65536");
  expect((await form("x".repeat(65_537))).status).toBe(413);
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(16_384, "x")) });
  expect(
    await form(endless).then(
      ({ status }) => status,
      () => "cut off",
    ),
  ).toSatisfy((end) => end === 413 || end === "cut off");
});

it("shows errors to browsers as pages, to programs as JSON, and says nothing of their cause", async () => {
  const shown = await fetch(`${url}/broken`, { headers: browser });
  const html = await shown.text();
  expect([shown.status, shown.headers.get("content-type")]).toEqual([500, "text/html; charset=utf-8"]);
  expect(html).toContain("req_7");
  expect(html).not.toContain("cellar");
  expect(await (await fetch(`${url}/broken`)).json()).toEqual({ error: "The server failed to answer this." });
  expect(JSON.stringify(lines)).toContain("the cellar is flooded");
  const gone = await fetch(`${url}/nothing`, { headers: browser });
  expect([gone.status, await gone.text()]).toEqual([404, expect.stringContaining("There is nothing here")]);
  expect((await fetch(`${url}/nothing`)).headers.get("content-type")).toContain("application/json");
});

it("keeps the headers that a page set, and gives the strictest to what set none", async () => {
  expect((await fetch(`${url}/styled`)).headers.get("content-security-policy")).toContain("style-src 'self'");
  expect((await fetch(`${url}/things/1`)).headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
});

it("counts a path under its route", () => {
  const labelOf = createRouteLabels(["/mcp", "/things/new", "/things/:thing", "/things/:thing/made"]);
  expect(["/mcp", "/things/new", "/things/7", "/things/7/made", "/things/7/8", "/"].map(labelOf)).toEqual([
    "/mcp",
    "/things/new",
    "/things/:thing",
    "/things/:thing/made",
    "other",
    "other",
  ]);
});
