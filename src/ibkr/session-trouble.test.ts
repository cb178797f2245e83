import { describe, expect, it } from "vitest";

import { scriptedIbkr, type ScriptedIbkr } from "../../test/support/scripted-ibkr.ts";

const MINUTE_MS = 60_000;
const forever = new AbortController().signal;
const down = { authenticated: false, connected: true, established: false, competing: false };
const ready = { authenticated: true, connected: true, established: true, competing: false };
const init = "POST /iserver/auth/ssodh/init";
const status = "POST /iserver/auth/status";

function count(sent: readonly string[], what: string): number {
  return sent.filter((request) => request === what).length;
}

describe("another login", () => {
  it("is left alone: no init, an error that says who, and a look now and then whether it is gone", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.session.learned({ userName: "ada99" });
    ibkr.answers.set("/iserver/auth/status", () => ({ ...down, competing: true, message: "TWS on another machine" }));
    ibkr.answers.set("/tickle", () => ({ session: "x", iserver: { authStatus: { ...ready, competing: true } } }));
    await ibkr.clock.advance(MINUTE_MS);
    expect(ibkr.session.health()).toMatchObject({ state: "competing", userName: "ada99" });
    await ibkr.clock.advance(10_000);
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({
      code: "session_competing",
      message: expect.stringMatching(/ada99.*TWS on another machine/),
      retryAfterSeconds: 10,
    });
    await ibkr.clock.advance(60 * MINUTE_MS);
    expect(count(ibkr.sent, init)).toBe(0);
    expect(count(ibkr.sent, "POST /iserver/auth/status")).toBeLessThan(65);
    ibkr.answers.set("/iserver/auth/status", () => ready);
    await ibkr.clock.advance(MINUTE_MS);
    expect(ibkr.session.isReady).toBe(true);
  });

  it("loses the session when a person says so, once", async () => {
    const ibkr = scriptedIbkr();
    const statuses = [
      { ...down, competing: true },
      { ...down, competing: true },
    ];
    ibkr.answers.set("/iserver/auth/status", () => statuses.shift() ?? ready);
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "session_competing" });
    await ibkr.settle(ibkr.session.takeOver(forever));
    expect(ibkr.contents.filter((content) => content.includes('"compete":true'))).toHaveLength(1);
    expect(ibkr.session.isReady).toBe(true);
    await ibkr.settle(ibkr.session.takeOver(forever));
    expect(count(ibkr.sent, init)).toBe(1);
  });

  it("is asked to yield at most every ten seconds, however often a person presses the button", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => ({ ...down, competing: true }));
    ibkr.answers.set("/iserver/auth/ssodh/init", () => ({ ...down, competing: true }));
    const press = () => ibkr.settle(ibkr.session.takeOver(forever));
    await expect(press()).rejects.toMatchObject({ code: "session_competing" });
    for (let times = 0; times < 5; times += 1)
      await expect(press()).rejects.toMatchObject({ code: "session_competing", retryAfterSeconds: 10 });
    expect(count(ibkr.sent, init)).toBe(1);
    await ibkr.clock.advance(10_000);
    await expect(press()).rejects.toMatchObject({ code: "session_competing" });
    expect(count(ibkr.sent, init)).toBe(2);
  });

  it("that keeps the session all the same is yielded to", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => ({ ...down, competing: true }));
    ibkr.answers.set("/iserver/auth/ssodh/init", () => ({ ...down, competing: true }));
    await expect(ibkr.settle(ibkr.session.takeOver(forever))).rejects.toMatchObject({ code: "session_competing" });
    await ibkr.clock.advance(10 * MINUTE_MS);
    expect(count(ibkr.sent, init)).toBe(1);
  });

  it("is heard of by the stream as well", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.session.heardStatus(0, { competing: true });
    expect(ibkr.session.isReady).toBe(true);
    ibkr.session.heardStatus(1, { competing: true });
    expect(ibkr.session.health().state).toBe("competing");
  });
});

describe("health", () => {
  const stateOf = (ibkr: ScriptedIbkr, layer: string) => ibkr.session.health().layers.find((known) => known.layer === layer);

  it("has a state for each layer, and tells of each change", async () => {
    const ibkr = scriptedIbkr();
    const states: string[] = [];
    const stop = ibkr.session.onHealth(({ state }) => states.push(state));
    expect(new Set(ibkr.session.health().layers.map(({ state }) => state))).toEqual(new Set(["unknown"]));
    await ibkr.settle(ibkr.session.ready(forever));
    expect(ibkr.session.health()).toMatchObject({ state: "established", provenMode: "paper", verifiedAt: ibkr.clock.now() });
    expect(ibkr.session.health().layers.map(({ layer, state }) => `${layer} ${state}`)).toEqual([
      "network ok",
      "oauth_consumer ok",
      "live_session_token ok",
      "brokerage_session ok",
      "market_data unknown",
    ]);
    expect(states).toContain("opening");
    expect(states.at(-1)).toBe("established");
    stop();
    const { length } = states;
    await ibkr.clock.advance(MINUTE_MS);
    await ibkr.settle(ibkr.session.close());
    expect(states).toHaveLength(length);
  });

  it.each([
    ["network", "/oauth/live_session_token", () => new TypeError("fetch failed"), "waiting"],
    [
      "oauth_consumer",
      "/oauth/live_session_token",
      () => Response.json({ error: "id: 39687, error: invalid consumer" }, { status: 401 }),
      "down",
    ],
    [
      "live_session_token",
      "/oauth/live_session_token",
      () => Response.json({ error: "id: 1, error: LST failed, error: " }, { status: 401 }),
      "down",
    ],
    ["live_session_token", "/oauth/live_session_token", () => new Response("", { status: 503 }), "waiting"],
    ["live_session_token", "/iserver/auth/status", () => new Response("", { status: 401 }), "down"],
    ["network", "/iserver/auth/status", () => new Response("<h1>Access Denied</h1>", { status: 403 }), "down"],
    ["brokerage_session", "/iserver/auth/status", () => new Response("", { status: 503 }), "waiting"],
    ["brokerage_session", "/iserver/accounts", () => new Response("", { status: 503 }), "waiting"],
  ] as const)("names %s when %s fails", async (layer, path, answer, state) => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set(path, answer);
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toThrow();
    const broken = stateOf(ibkr, layer);
    expect(broken?.state).toBe(state);
    expect(broken?.lastError?.message).toMatch(/\w{4}/);
    expect(broken?.lastError?.whatToDo).toMatch(/\w{4}/);
    // Nothing is known above it.
    const names = ibkr.session.health().layers;
    const above = names.slice(names.findIndex((known) => known.layer === layer) + 1);
    expect(above.every((known) => known.state === "unknown")).toBe(true);
  });

  it("keeps the last fault of a layer that works again", async () => {
    const ibkr = scriptedIbkr();
    const loggingIn = ibkr.answers.get("/oauth/live_session_token") ?? (() => undefined);
    ibkr.answers.set("/oauth/live_session_token", () => new TypeError("fetch failed"));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "upstream_unavailable", retryAfterSeconds: 2 });
    ibkr.answers.set("/oauth/live_session_token", loggingIn);
    await ibkr.clock.advance(2000);
    expect(ibkr.session.health()).toMatchObject({ state: "established", retryAt: undefined });
    expect(stateOf(ibkr, "network")).toMatchObject({ state: "ok", lastError: { code: "upstream_unavailable" } });
  });
});

describe("a fault", () => {
  it.each([
    [600_000, /10 minutes ahead/],
    [-120_000, /2 minutes behind/],
  ])("of the clock by %s ms is named when a signature is refused", async (aheadMs, words) => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/oauth/live_session_token", () =>
      Response.json(
        { error: "id: 41276, error: invalid signature: timestamp refused" },
        { status: 401, headers: { date: new Date(ibkr.clock.now() - aheadMs).toUTCString() } },
      ),
    );
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({
      code: "connection_not_ready",
      message: expect.stringMatching(words),
      whatToDo: expect.stringContaining("NTP"),
    });
  });

  it("of the clock that IBKR still bears is told with a session that works", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () =>
      Response.json(ready, { headers: { date: new Date(ibkr.clock.now() - 180_000).toUTCString() } }),
    );
    await ibkr.settle(ibkr.session.ready(forever));
    expect(ibkr.session.health().layers[1]).toMatchObject({
      state: "ok",
      lastError: { message: expect.stringContaining("3 minutes ahead") },
    });
  });

  it("that is passing is met again soon, and nobody waits for it", async () => {
    const ibkr = scriptedIbkr();
    let attempts = 0;
    ibkr.answers.set("/oauth/live_session_token", () => {
      attempts += 1;
      return new Response("", { status: 503 });
    });
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "upstream_unavailable", retryAfterSeconds: 2 });
    for (let calls = 0; calls < 50; calls += 1) await expect(ibkr.session.ready(forever)).rejects.toMatchObject({ retryAfterSeconds: 2 });
    expect(attempts).toBe(1);
    await ibkr.clock.advance(60 * MINUTE_MS);
    // Seconds at first, then once a minute.
    expect(attempts).toBeGreaterThan(50);
    expect(attempts).toBeLessThan(75);
    expect(count(ibkr.sent, init)).toBe(0);
  });

  it("of tickles alone ends the session after more than five minutes", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.answers.set("/tickle", () => new TypeError("fetch failed"));
    await ibkr.clock.advance(5 * MINUTE_MS);
    expect(ibkr.session.generation).toBe(1);
    await ibkr.clock.advance(2 * MINUTE_MS);
    expect(ibkr.session.generation).toBe(2);
  });

  it("a person may check before a pause is over, though not in a row", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => down);
    ibkr.answers.set("/iserver/auth/ssodh/init", () => new Response("", { status: 500 }));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toThrow();
    for (const sent of [2, 3]) {
      // IBKR refused: a person is held to once a minute, too, while callers wait longer each time.
      await ibkr.clock.advance(30_000);
      await expect(ibkr.settle(ibkr.session.check(forever))).rejects.toThrow();
      expect(count(ibkr.sent, init)).toBe(sent - 1);
      await ibkr.clock.advance(31_000);
      for (let presses = 0; presses < 20; presses += 1) await expect(ibkr.settle(ibkr.session.check(forever))).rejects.toThrow();
      expect(count(ibkr.sent, init)).toBe(sent);
    }
  });

  it("a person may check ten seconds after a login that was merely not reached", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => new TypeError("fetch failed"));
    for (let misses = 0; misses < 5; misses += 1) {
      await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toThrow();
      await ibkr.clock.advance(60_000);
    }
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toThrow();
    const asked = count(ibkr.sent, status);
    await ibkr.clock.advance(11_000);
    await expect(ibkr.settle(ibkr.session.check(forever))).rejects.toThrow();
    expect(count(ibkr.sent, status)).toBeGreaterThan(asked);
  });
});

describe("the mode", () => {
  it("that is not the expected one freezes the session for good", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/accounts", () => ({ accounts: ["U1"], isPaper: false }));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({
      code: "connection_frozen",
      message: expect.stringMatching(/paper.*live/),
    });
    const { length } = ibkr.sent;
    ibkr.answers.set("/iserver/accounts", () => ({ accounts: ["DU1"], isPaper: true }));
    await ibkr.clock.advance(60 * MINUTE_MS);
    for (const attempt of ["ready", "check", "takeOver"] as const)
      await expect(ibkr.settle(ibkr.session[attempt](forever))).rejects.toMatchObject({ code: "connection_frozen" });
    expect(ibkr.sent).toHaveLength(length);
    expect(ibkr.session.health().state).toBe("frozen");
  });

  it("that nobody tells keeps the session from opening", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/accounts", () => ({ accounts: ["U1"] }));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "connection_not_ready" });
    expect(ibkr.session.health().state).toBe("backing_off");
  });

  it("that is contradicted while the session is opened anew freezes it all the same", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.session.lost(1, "brokerage");
    ibkr.answers.set("/iserver/accounts", () => {
      ibkr.session.learned({ isPaper: false });
      return { accounts: ["DU1234567"], isPaper: true };
    });
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "connection_frozen" });
    const sent = ibkr.sent.length;
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "connection_frozen" });
    expect(ibkr.sent).toHaveLength(sent);
    expect(ibkr.session.health().state).toBe("frozen");
  });

  it("that the stream's greeting contradicts freezes the session", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.session.learned({ userName: "ada99", isPaper: true });
    expect(ibkr.session.health()).toMatchObject({ state: "established", userName: "ada99" });
    ibkr.session.learned({ userName: "ada99", isPaper: false });
    await expect(ibkr.session.ready(forever)).rejects.toMatchObject({ code: "connection_frozen" });
  });
});

describe("the way to the stream", () => {
  it("has the session's cookie and the access token, and is asked for once a session", async () => {
    const ibkr = scriptedIbkr();
    const access = await ibkr.settle(ibkr.session.socketAccess(forever));
    expect(access).toEqual({ url: "wss://ibkr.test/ws?oauth_token=token", headers: { cookie: "api=x" }, generation: 1 });
    await ibkr.settle(ibkr.session.socketAccess(forever));
    expect(count(ibkr.sent, "POST /tickle")).toBe(1);
  });
});
