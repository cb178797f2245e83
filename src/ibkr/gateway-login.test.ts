import { describe, expect, it } from "vitest";

import { scriptedIbkr } from "../../test/support/scripted-ibkr.ts";

const MINUTE_MS = 60_000;
const forever = new AbortController().signal;
const status = "POST /iserver/auth/status";
const validate = "GET /sso/validate";
const notLoggedIn = () => Response.json({ error: "not authenticated", statusCode: 401 }, { status: 401 });
const down = { authenticated: false, connected: true, established: false, competing: false };

function count(sent: readonly string[], what: string): number {
  return sent.filter((request) => request === what).length;
}

describe("a login through a Client Portal Gateway", () => {
  it("needs no signature, asks who is logged in, and proves the mode by that", async () => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    await ibkr.settle(ibkr.session.ready(forever));
    expect(ibkr.sent).toEqual([status, validate, "GET /iserver/accounts"]);
    expect(ibkr.session.health()).toMatchObject({ state: "established", userName: "ada99", provenMode: "paper" });
    expect(ibkr.session.health().layers.map(({ layer, state }) => `${layer} ${state}`)).toEqual([
      "network ok",
      "sso ok",
      "brokerage_session ok",
      "market_data unknown",
    ]);
  });

  it("opens the brokerage session where the gateway has not", async () => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    const statuses = [down];
    const ready = ibkr.answers.get("/iserver/auth/status");
    ibkr.answers.set("/iserver/auth/status", (request) => statuses.shift() ?? ready?.(request));
    await ibkr.settle(ibkr.session.ready(forever));
    expect(count(ibkr.sent, "POST /iserver/auth/ssodh/init")).toBe(1);
  });

  it("shows the way to the login when nobody is logged in, and comes up by itself after it", async () => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    const ready = ibkr.answers.get("/iserver/auth/status") ?? (() => undefined);
    ibkr.answers.set("/iserver/auth/status", notLoggedIn);
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({
      code: "connection_not_ready",
      message: expect.stringContaining("Nobody is logged in"),
      link: "https://ibkr.test",
      retryAfterSeconds: 5,
    });
    expect(ibkr.session.health()).toMatchObject({ state: "logged_out" });
    expect(ibkr.session.health().layers[1]).toMatchObject({ layer: "sso", state: "down" });
    await ibkr.clock.advance(60 * MINUTE_MS);
    // Looked at now and then, and nothing else was tried.
    expect(ibkr.sent.length).toBeLessThan(130);
    expect(new Set(ibkr.sent)).toEqual(new Set([status]));
    ibkr.answers.set("/iserver/auth/status", ready);
    await ibkr.clock.advance(MINUTE_MS);
    expect(ibkr.session.health()).toMatchObject({ state: "established", userName: "ada99" });
  });

  it("that ends is noticed by the next tickle", async () => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    await ibkr.settle(ibkr.session.ready(forever));
    for (const path of ["/tickle", "/iserver/auth/status"]) ibkr.answers.set(path, notLoggedIn);
    await ibkr.clock.advance(MINUTE_MS);
    expect(ibkr.session.health()).toMatchObject({ state: "logged_out" });
  });

  it("by somebody else is noticed, and its mode proven anew", async () => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    await ibkr.settle(ibkr.session.ready(forever));
    await ibkr.clock.advance(2 * MINUTE_MS);
    expect(ibkr.session.generation).toBe(1);
    ibkr.answers.set("/sso/validate", () => ({ USER_NAME: "ada1", LOGIN_TYPE: 1, RESULT: true }));
    ibkr.answers.set("/tickle", () => ({
      session: "another",
      iserver: { authStatus: { authenticated: true, connected: true, established: true, competing: false } },
    }));
    await ibkr.clock.advance(MINUTE_MS);
    await expect(ibkr.session.ready(forever)).rejects.toMatchObject({
      code: "connection_frozen",
      message: expect.stringContaining("live"),
    });
  });

  it("asks who is logged in once a minute at most", async () => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    await ibkr.settle(ibkr.session.ready(forever));
    for (let times = 0; times < 5; times += 1) {
      ibkr.session.lost(ibkr.session.generation, "brokerage");
      await ibkr.settle(ibkr.session.ready(forever));
    }
    expect(count(ibkr.sent, validate)).toBe(1);
  });

  it.each([
    ["refuses our address", () => new Response("<html><title>Access Denied</title></html>", { status: 403 }), /ips\.allow/],
    [
      "does not run",
      () => new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { syscall: "connect" }) }),
      /https:\/\/ibkr\.test/,
    ],
  ])("says in words that the gateway %s", async (_name, answer, cure) => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    ibkr.answers.set("/iserver/auth/status", answer);
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ whatToDo: expect.stringMatching(cure) });
    expect(ibkr.session.health().layers[0]).toMatchObject({ layer: "network", lastError: { whatToDo: expect.stringMatching(cure) } });
  });

  it("keeps the gateway's cookies, also for the stream", async () => {
    const ibkr = scriptedIbkr({ face: "gateway" });
    const body = { authenticated: true, connected: true, established: true, competing: false };
    ibkr.answers.set("/iserver/auth/status", () =>
      Response.json(body, { headers: { "set-cookie": "x-sess-uuid=0.abc; path=/v1/api; secure; HttpOnly" } }),
    );
    const access = await ibkr.settle(ibkr.session.socketAccess(forever));
    expect(access).toMatchObject({ url: "wss://ibkr.test/ws", headers: { cookie: "x-sess-uuid=0.abc; api=x" } });
  });
});
