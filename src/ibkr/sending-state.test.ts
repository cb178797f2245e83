import { describe, expect, it } from "vitest";

import { scriptedIbkr, type ScriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import type { ApiRequest } from "./transport.ts";

const forever = new AbortController().signal;
const call = { signal: forever, caller: "key_1" };
const order: ApiRequest = { method: "POST", path: "/orders", endpoint: "/orders", body: { orders: [] } };
const read: ApiRequest = { method: "GET", path: "/read", endpoint: "/read" };
const ready = { authenticated: true, connected: true, established: true, competing: false };

/** A session that stands, whose next request has to wait its turn for about a second. */
async function busy(face: "oauth" | "gateway" = "oauth"): Promise<ScriptedIbkr> {
  const ibkr = scriptedIbkr({ face });
  ibkr.answers.set("/read", () => ({ read: true }));
  ibkr.answers.set("/orders", () => ({ order_id: "1" }));
  await ibkr.settle(ibkr.session.ready(forever));
  await ibkr.clock.advance(5000);
  await ibkr.settle(Promise.all(Array.from({ length: 40 }, () => ibkr.api.read(read, { ...call, urgent: true }))));
  return ibkr;
}

function countOf(ibkr: ScriptedIbkr, what: string): number {
  return ibkr.sent.filter((request) => request === what).length;
}

describe("what waits for its turn while the session ends", () => {
  it.each(["oauth", "gateway"] as const)("is never an order that goes out by %s once the connection is frozen", async (face) => {
    const ibkr = await busy(face);
    const result = ibkr.api.commit(order, call);
    await ibkr.clock.advance(0);
    expect(countOf(ibkr, "POST /orders")).toBe(0);
    ibkr.session.learned({ isPaper: false });
    await expect(ibkr.settle(result)).resolves.toMatchObject({ kind: "not_sent", error: { code: "connection_frozen" } });
    expect(countOf(ibkr, "POST /orders")).toBe(0);
  });

  it.each(["oauth", "gateway"] as const)("is never an order that goes out by %s once the connection is paused", async (face) => {
    const ibkr = await busy(face);
    const result = ibkr.api.commit(order, call);
    await ibkr.clock.advance(0);
    await ibkr.settle(ibkr.session.close());
    await expect(ibkr.settle(result)).resolves.toMatchObject({ kind: "not_sent", error: { code: "connection_not_ready" } });
    expect(countOf(ibkr, "POST /orders")).toBe(0);
  });

  it("is never an order when another login has taken the session", async () => {
    const ibkr = await busy();
    const result = ibkr.api.commit(order, call);
    await ibkr.clock.advance(0);
    ibkr.answers.set("/iserver/auth/status", () => ({ ...ready, competing: true }));
    ibkr.session.heardStatus(ibkr.session.generation, { competing: true });
    await expect(ibkr.settle(result)).resolves.toMatchObject({ kind: "not_sent", error: { code: "session_competing" } });
    expect(countOf(ibkr, "POST /orders")).toBe(0);
  });

  it("is a read that goes out in the session that was opened anew", async () => {
    const ibkr = await busy();
    const answer = ibkr.api.read({ ...read, path: "/late" }, call);
    ibkr.answers.set("/late", () => ({ generation: ibkr.session.generation }));
    await ibkr.clock.advance(0);
    ibkr.session.lost(ibkr.session.generation, "brokerage");
    await expect(ibkr.settle(answer)).resolves.toEqual({ generation: 2 });
  });

  it("is no read that goes out once the connection is frozen", async () => {
    const ibkr = await busy();
    const answer = ibkr.api.read({ ...read, path: "/late" }, call);
    await ibkr.clock.advance(0);
    ibkr.session.learned({ isPaper: false });
    await expect(ibkr.settle(answer)).rejects.toMatchObject({ code: "connection_frozen" });
    expect(countOf(ibkr, "GET /late")).toBe(0);
  });
});

describe("a link that is being closed", () => {
  it("is not opened anew while it says goodbye", async () => {
    const ibkr = scriptedIbkr({ logoutOnClose: true });
    ibkr.answers.set("/orders", () => ({ order_id: "1" }));
    await ibkr.settle(ibkr.session.ready(forever));
    const answered = Promise.withResolvers<unknown>();
    ibkr.answers.set("/logout", () => answered.promise);
    const closing = ibkr.session.close();
    await ibkr.clock.advance(0);
    const result = ibkr.api.commit(order, call);
    await expect(ibkr.settle(result)).resolves.toMatchObject({ kind: "not_sent", error: { code: "connection_not_ready" } });
    answered.resolve({ status: true });
    await ibkr.settle(closing);
    expect(ibkr.sent.at(-1)).toBe("POST /logout");
    expect(ibkr.session.health().state).toBe("closed");
  });
});
