import { afterAll, beforeAll, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { seedOwner } from "../../test/support/seed-keys.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import type { Broker } from "../broker/broker.ts";
import { GatewayError } from "../lib/errors.ts";
import { insertConnection } from "../storage/connections.ts";
import type { Storage } from "../storage/storage.ts";
import { surveyConnections } from "./connection-survey.ts";
import type { Connections } from "./connections.ts";

let databases: TestEngine;
let storage: Storage;
beforeAll(async () => {
  databases = await startEngine("sqlite");
  storage = await (await databases.createDatabase()).open();
});
afterAll(() => databases.stop());

/** Connections whose broker answers, refuses or stays silent, by the connection's id. */
function connectionsThat(
  behave: (connectionId: string, signal: AbortSignal) => Promise<void>,
): Pick<Connections, "open"> & { readonly opened: string[] } {
  const opened: string[] = [];
  return {
    opened,
    open: async ({ connectionId }, signal) => {
      opened.push(connectionId);
      await behave(connectionId, signal);
      const account = { accountId: `U-${connectionId}`, title: undefined, type: undefined, baseCurrency: "USD" };
      // The survey asks for accounts only.
      return { connectionId, label: "", broker: { accounts: () => Promise.resolve([account]) } as unknown as Broker };
    },
  };
}

async function seedMany(count: number): Promise<{ readonly userId: string; readonly ids: readonly string[] }> {
  const { userId, connectionId } = await seedOwner(storage);
  const ids = [connectionId];
  for (let index = 1; index < count; index += 1) {
    const id = `${connectionId}_${String(index).padStart(2, "0")}`;
    const row = { user_id: userId, kind: "simulator", label: id, settings: "{}", sealed_secrets: null, is_demo: 0, created_at: 1 + index };
    await insertConnection(storage, { ...row, id, mode: index === 1 ? "strange" : "paper" });
    ids.push(id);
  }
  return { userId, ids };
}

it("tells what works, what doesn't and why, and what was too slow", async () => {
  const { userId, ids } = await seedMany(3);
  const clock = fakeClock();
  const connections = connectionsThat(async (id, signal) => {
    if (id === ids[1]) throw new GatewayError("session_competing", "Somebody else is signed in.", { whatToDo: "Sign out there." });
    if (id === ids[2]) await clock.wait(60_000, signal);
  });
  const surveyed = surveyConnections({ storage, connections, clock, servesDemo: true }, userId);
  await expect.poll(() => connections.opened.length).toBe(3);
  await clock.advance(3_000);
  expect(await surveyed).toMatchObject([
    { health: "ready", mode: "simulated", accounts: [{ accountId: `U-${ids[0]}` }], problem: undefined },
    {
      health: "failing",
      mode: "live",
      accounts: undefined,
      problem: { message: "Somebody else is signed in.", whatToDo: "Sign out there." },
    },
    { health: "unknown", mode: "paper", accounts: undefined, problem: undefined },
  ]);
  expect(clock.pending).toBe(0);
});

it("asks a few connections only, however many there are, and nobody else's", async () => {
  const { userId, ids } = await seedMany(10);
  await seedMany(1);
  const connections = connectionsThat(() => Promise.resolve());
  const surveyed = await surveyConnections({ storage, connections, clock: fakeClock(), servesDemo: true }, userId);
  expect(surveyed.map(({ connectionId }) => connectionId)).toEqual(ids);
  expect(connections.opened).toEqual(ids.slice(0, 8));
  expect(surveyed.slice(8).map(({ health }) => health)).toEqual(["unknown", "unknown"]);
});

it("does not hide a fault of ours", async () => {
  const { userId } = await seedMany(1);
  const connections = connectionsThat(() => Promise.reject(new TypeError("a fault")));
  const clock = fakeClock();
  await expect(surveyConnections({ storage, connections, clock, servesDemo: true }, userId)).rejects.toThrow("a fault");
  expect(clock.pending).toBe(0);
});
