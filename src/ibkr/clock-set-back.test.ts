import { expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { scriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { settableClock } from "../../test/support/settable-clock.ts";
import { scriptedSockets } from "../../test/support/scripted-sockets.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { Pacer } from "./pacing.ts";
import { Stream } from "./stream.ts";

const { signal } = new AbortController();
const AN_HOUR_MS = 3_600_000;

it("the pace goes on as it was when the machine's clock is set back", async () => {
  const time = fakeClock();
  const { clock, set } = settableClock(time);
  const pacer = new Pacer({ clock, log: silentLog });
  const ask = () => pacer.turn({ endpoint: "/portfolio/accounts", caller: "a", urgent: false, repeatsPriming: false, signal });
  (await ask()).done(true);
  set(-AN_HOUR_MS);
  let isGranted = false;
  const granted = ask().then(() => (isGranted = true));
  await time.advance(5100);
  expect(isGranted).toBe(true);
  await granted;
});

it("a session that was refused comes back after its pause when the machine's clock is set right", async () => {
  const ibkr = scriptedIbkr();
  ibkr.answers.set("/oauth/live_session_token", () => Response.json({ error: "id: 1, error: bad timestamp" }, { status: 401 }));
  await expect(ibkr.settle(ibkr.session.ready(signal))).rejects.toMatchObject({ code: "connection_not_ready" });
  ibkr.setClock(-AN_HOUR_MS);
  const { length } = ibkr.sent;
  await ibkr.clock.advance(75_000);
  expect(ibkr.sent.length).toBeGreaterThan(length);
});

it("a stream that fell silent is not taken for current because the machine's clock was set back", async () => {
  const ibkr = scriptedIbkr();
  const sockets = scriptedSockets();
  const { clock, set } = settableClock(ibkr.clock);
  const random = { bytes: (length: number) => Buffer.alloc(length) };
  const stream = new Stream({ session: ibkr.session, socket: sockets.edge, clock, random, log: silentLog, userAgent: "test" });
  await ibkr.settle(ibkr.session.ready(signal));
  stream.need();
  await ibkr.clock.advance(0);
  sockets.last().greet();
  expect(stream.isLive).toBe(true);
  set(-AN_HOUR_MS);
  await ibkr.clock.advance(30_000);
  expect(stream.isLive).toBe(false);
});
