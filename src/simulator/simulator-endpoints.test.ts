import { afterEach, describe, expect, test } from "vitest";

import { rawNumber } from "../lib/json.ts";
import { ok } from "./http/route.ts";
import type { Route, SimReply } from "./http/route.ts";
import { startSimulatorForTest } from "./test-client.ts";
import type { TestClient } from "./test-client.ts";

let client: TestClient;

const start = async (route: Partial<Route> & Pick<Route, "handle">): Promise<TestClient> => {
  client = await startSimulatorForTest({ routes: [{ method: "POST", path: "/test/{name}", tier: "sso", ...route }] });
  await client.signIn();
  return client;
};

afterEach(() => client.close());

describe("an endpoint", () => {
  test("gets its parameters, query and body, and keeps every digit in both directions", async () => {
    await start({ handle: ({ params, query, body }) => ok({ params, page: query.get("page"), body, exact: rawNumber("1004120.10") }) });
    const reply = await client.call("POST", "/test/a%20b", { query: { page: 2 }, text: '{"quantity":0.1000,"conid":265598}' });
    expect(reply.text).toBe('{"params":{"name":"a b"},"page":"2","body":{"quantity":"0.1000","conid":265598},"exact":1004120.10}');
  });

  test("may answer text", async () => {
    await start({ handle: () => ({ status: 200, text: "Success", contentType: "text/plain" }) });
    expect(await client.call("POST", "/test/x")).toMatchObject({ status: 200, text: "Success", json: undefined });
  });

  test("that fails is a 500 and nothing more", async () => {
    await start({
      handle: () => {
        throw new Error("internal detail");
      },
    });
    const reply = await client.call("POST", "/test/x");
    expect([reply.status, reply.json]).toEqual([500, { error: "Internal Server Error", statusCode: 500 }]);
    expect((await client.call("POST", "/tickle")).status).toBe(200);
  });

  test("that takes too long is a 503", async () => {
    const reached = Promise.withResolvers<void>();
    await start({
      handle: () => {
        reached.resolve();
        return Promise.withResolvers<SimReply>().promise;
      },
    });
    const reply = client.call("POST", "/test/x");
    await reached.promise;
    client.clock.advance(10_000);
    expect((await reply).json).toEqual({ error: "Service Unavailable", statusCode: 503 });
  });

  test("with a limit on what runs at once refuses one more with 429", async () => {
    const waiting: ((reply: SimReply) => void)[] = [];
    const allIn = Promise.withResolvers<void>();
    await start({
      pacing: { concurrent: 2 },
      handle: () =>
        new Promise((resolve) => {
          if (waiting.push(resolve) === 2) allIn.resolve();
        }),
    });
    const running = [client.call("POST", "/test/1"), client.call("POST", "/test/2")];
    await allIn.promise;
    expect((await client.call("POST", "/test/3")).status).toBe(429);
    for (const finish of waiting) finish(ok({}));
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("under way is finished before the simulator closes", async () => {
    const reached = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<SimReply>();
    await start({
      handle: () => {
        reached.resolve();
        return finish.promise;
      },
    });
    const reply = client.call("POST", "/test/x");
    await reached.promise;
    const closed = client.close();
    finish.resolve(ok({ done: true }));
    expect((await reply).json).toEqual({ done: true });
    await closed;
    await expect(client.call("POST", "/test/x")).rejects.toThrow("fetch failed");
    await start({ handle: () => ok({}) });
  });
});
