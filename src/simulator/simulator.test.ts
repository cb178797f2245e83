import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { startSimulatorForTest } from "./test-client.ts";
import type { TestClient } from "./test-client.ts";

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest();
});

afterEach(() => client.close());

describe("signing in", () => {
  test("opens a brokerage session that is established after a moment", async () => {
    await client.signIn();
    const before = await client.call("GET", "/iserver/auth/status");
    expect(before.json).toMatchObject({ authenticated: false, connected: true, established: false, competing: false });
    const init = await client.call("POST", "/iserver/auth/ssodh/init", { body: { publish: true, compete: true } });
    expect(init.json).toEqual({
      passed: true,
      authenticated: true,
      connected: true,
      established: false,
      competing: false,
      hardware_info: expect.any(String),
    });
    client.clock.advance(2_000);
    expect((await client.call("POST", "/iserver/auth/status")).json).toMatchObject({ authenticated: true, established: true });
  });
});
