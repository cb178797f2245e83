import { describe, expect, it } from "vitest";

import { scriptedIbkr } from "../../test/support/scripted-ibkr.ts";

const MINUTE_MS = 60_000;
const forever = new AbortController().signal;
const down = { authenticated: false, connected: true, established: false, competing: false };
const coming = { authenticated: true, connected: true, established: false, competing: false };
const ready = { authenticated: true, connected: true, established: true, competing: false };
const lost = { authenticated: false, connected: true, competing: false };
const init = "POST /iserver/auth/ssodh/init";
const login = "POST /oauth/live_session_token";

function count(sent: readonly string[], what: string): number {
  return sent.filter((request) => request === what).length;
}

describe("opening a session", () => {
  it("logs in, opens the brokerage session, waits until it is established, and primes the accounts", async () => {
    const ibkr = scriptedIbkr();
    const statuses = [down, coming, coming, ready];
    ibkr.answers.set("/iserver/auth/status", () => statuses.shift() ?? ready);
    ibkr.answers.set("/iserver/auth/ssodh/init", () => ({ passed: true, ...coming }));
    await ibkr.settle(ibkr.session.ready(forever));
    const status = "POST /iserver/auth/status";
    expect(ibkr.sent).toEqual([login, status, init, status, status, status, "GET /iserver/accounts"]);
    expect(ibkr.contents[2]).toBe('{"publish":true,"compete":false}');
    expect(ibkr.session).toMatchObject({ isReady: true, generation: 1, wasInitialized: true });
  });

  it("is done once for all who wait", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(Promise.all(Array.from({ length: 10 }, () => ibkr.session.ready(forever))));
    expect(count(ibkr.sent, login)).toBe(1);
    expect(ibkr.session.wasInitialized).toBe(false);
  });

  it("tries again while the bridge does not stand yet", async () => {
    const ibkr = scriptedIbkr();
    const replies: unknown[] = [Response.json({ error: "Bad Request: no bridge", statusCode: 400 }, { status: 400 }), {}];
    ibkr.answers.set("/iserver/accounts", () => replies.shift() ?? { accounts: ["DU1"], isPaper: true });
    await ibkr.settle(ibkr.session.ready(forever));
    expect(count(ibkr.sent, "GET /iserver/accounts")).toBe(3);
  });

  it.each([
    ["as its status says", { "/iserver/auth/status": { ...down, competing: true } }, 0],
    ["as the answer to init says", { "/iserver/auth/status": down, "/iserver/auth/ssodh/init": { ...down, competing: true } }, 1],
    [
      "as IBKR's reason says",
      {
        "/iserver/auth/status": down,
        "/iserver/auth/ssodh/init": { ...down, fail: "Force compete capability must be used together with compete flag" },
      },
      1,
    ],
  ])("never takes it from another login, %s", async (_name, answers: Record<string, unknown>, inits) => {
    const ibkr = scriptedIbkr();
    for (const [path, answer] of Object.entries(answers)) ibkr.answers.set(path, () => answer);
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "session_competing" });
    expect(count(ibkr.sent, init)).toBe(inits);
    expect(ibkr.contents.join()).not.toContain('"compete":true');
  });

  it("asks again soon whether another login still holds it, but does not try to open it again soon", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => ({ ...down, competing: true }));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ retryAfterSeconds: 10 });
    await ibkr.clock.advance(10_000);
    ibkr.answers.set("/iserver/auth/status", () => down);
    ibkr.answers.set("/iserver/auth/ssodh/init", () => ({ ...down, competing: true }));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "session_competing", retryAfterSeconds: 61 });
  });

  it("counts an init without an answer as refused", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => down);
    ibkr.answers.set("/iserver/auth/ssodh/init", () => new TypeError("fetch failed"));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "upstream_unavailable", retryAfterSeconds: 61 });
  });

  it("gives up when the session does not come up", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => coming);
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "upstream_unavailable", retryAfterSeconds: 61 });
  });

  it("waits longer and longer after each refusal, up to half an hour", async () => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/iserver/auth/status", () => down);
    ibkr.answers.set("/iserver/auth/ssodh/init", () => new Response("", { status: 500 }));
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const failure: unknown = await ibkr.settle(ibkr.session.ready(forever)).catch((error: unknown) => error);
      const seconds = failure instanceof Error && "retryAfterSeconds" in failure ? Number(failure.retryAfterSeconds) : 0;
      pauses.push(seconds);
      const inits = count(ibkr.sent, init);
      await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({ code: "upstream_unavailable" });
      expect(count(ibkr.sent, init)).toBe(inits);
      await ibkr.clock.advance(seconds * 1000);
    }
    // Each is up to a fifth longer, by chance.
    expect(pauses).toEqual([61, 120, 242, 482, 966, 1800, 1800, 1800]);
    ibkr.answers.set("/iserver/auth/status", () => ready);
    // It comes back by itself.
    await ibkr.clock.advance(1_800_000);
    expect(ibkr.session.isReady).toBe(true);
  });

  it.each([
    ["id: 39687, error: invalid consumer", /consumer key/],
    ["id: 118871, error: LST failed, error: No access secret key found for x", /no secret/],
    ["id: 1, error: LST failed, error: ", /not activated/],
    ["id: 1, error: invalid signature", /signature/],
  ])("says in words why a login was refused: %s", async (error, words) => {
    const ibkr = scriptedIbkr();
    ibkr.answers.set("/oauth/live_session_token", () => Response.json({ error, statusCode: 401 }, { status: 401 }));
    await expect(ibkr.settle(ibkr.session.ready(forever))).rejects.toMatchObject({
      code: "connection_not_ready",
      message: expect.stringMatching(words),
    });
  });

  it("lets one who waits leave without harm to the others", async () => {
    const ibkr = scriptedIbkr();
    const hangUp = new AbortController();
    const leaves = expect(ibkr.session.ready(hangUp.signal)).rejects.toThrow("hung up");
    const stays = ibkr.session.ready(forever);
    hangUp.abort(new Error("hung up"));
    await leaves;
    await ibkr.settle(stays);
  });
});

describe("keeping a session", () => {
  it("tickles every minute", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    await ibkr.clock.advance(5 * MINUTE_MS);
    expect(count(ibkr.sent, "POST /tickle")).toBe(5);
  });

  it("opens it again when the tickle's inner status says that it died", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.answers.set("/tickle", () => ({ session: "x", iserver: { authStatus: lost } }));
    const statuses = [down];
    ibkr.answers.set("/iserver/auth/status", () => statuses.shift() ?? ready);
    await ibkr.clock.advance(MINUTE_MS);
    await ibkr.settle(ibkr.session.ready(forever));
    expect(count(ibkr.sent, init)).toBe(1);
    expect(ibkr.session.generation).toBe(2);
    expect(count(ibkr.sent, login)).toBe(1);
  });

  it("logs in again when the tickle meets a 401", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.answers.set("/tickle", () => new Response("", { status: 401 }));
    await ibkr.clock.advance(MINUTE_MS);
    await ibkr.settle(ibkr.session.ready(forever));
    expect(count(ibkr.sent, login)).toBe(2);
  });

  it("bears a tickle that fails", async () => {
    const ibkr = scriptedIbkr();
    await ibkr.settle(ibkr.session.ready(forever));
    ibkr.answers.set("/tickle", () => new TypeError("fetch failed"));
    await ibkr.clock.advance(MINUTE_MS);
    ibkr.answers.set("/tickle", () => ({ error: "failed to process request" }));
    await ibkr.clock.advance(MINUTE_MS);
    expect(ibkr.session.isReady).toBe(true);
  });

  it("renews the login before its day is over, and does not trust an expiry in the past", async () => {
    const ibkr = scriptedIbkr();
    const script = ibkr.answers.get("/oauth/live_session_token");
    ibkr.answers.set("/oauth/live_session_token", (request) =>
      Object.assign({}, script?.(request), { live_session_token_expiration: ibkr.clock.now() }),
    );
    await ibkr.settle(ibkr.session.ready(forever));
    await ibkr.clock.advance(60 * MINUTE_MS);
    expect(count(ibkr.sent, login)).toBe(1);
    await ibkr.clock.advance(23 * 60 * MINUTE_MS);
    await ibkr.settle(ibkr.session.ready(forever));
    expect(count(ibkr.sent, login)).toBe(2);
  });

  it("ends with its last timer, and logs out where it was told to", async () => {
    const ibkr = scriptedIbkr({ logoutOnClose: true });
    await ibkr.settle(ibkr.session.ready(forever));
    await ibkr.settle(ibkr.session.close());
    expect(ibkr.sent.at(-1)).toBe("POST /logout");
    const { length } = ibkr.sent;
    await ibkr.clock.advance(10 * MINUTE_MS);
    expect(ibkr.sent).toHaveLength(length);
    await expect(ibkr.session.ready(forever)).rejects.toMatchObject({ code: "connection_not_ready" });
  });
});
