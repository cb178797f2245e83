import type { IncomingMessage, ServerResponse } from "node:http";

import { Hono } from "hono";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { seedOwner } from "../../test/support/seed-keys.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import { createBrowserSessions, type SessionKeeper } from "../auth/sign-in/browser-session.ts";
import { createCookieJar } from "../auth/sign-in/cookies.ts";
import { systemRandom } from "../lib/random.ts";
import type { PageEnv } from "../pages/page-env.ts";
import type { Storage } from "../storage/storage.ts";
import { liveParts } from "./live-parts.ts";
import { ownStream } from "./own-stream.ts";

const MINUTE_MS = 60_000;

describe("a live page's stream", () => {
  let databases: TestEngine;
  let storage: Storage;
  let clock: FakeClock;
  let sessions: SessionKeeper;
  let userId: string;
  let cookie: string;
  let told: number;
  let changed: () => void;
  let isSubscribed: boolean;
  beforeAll(async () => {
    databases = await startEngine("sqlite");
    storage = await (await databases.createDatabase()).open();
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    clock = fakeClock();
    told = 0;
    isSubscribed = false;
    sessions = createBrowserSessions({ storage, clock, random: systemRandom, cookies: createCookieJar(false) });
    ({ userId } = await seedOwner(storage, "Ada"));
    const [set = ""] = await sessions.begin(
      { userId, method: "password" },
      { address: undefined, userAgent: undefined, cookieHeader: undefined },
    );
    cookie = set.split(";")[0] ?? "";
  });

  /** Asks for a stream that tells a growing number, and collects what it tells. */
  async function ask(
    method = "GET",
    draw = () => Promise.resolve(),
  ): Promise<{ readonly response: Response; readonly text: () => string; readonly isOpen: () => boolean }> {
    const deps = { sessions, clock, log: silentLog };
    const app = new Hono<PageEnv>();
    app.get(
      "/events",
      ownStream(deps, ({ c }) =>
        Promise.resolve(
          liveParts(c, deps, {
            subscribe: (listener) => {
              changed = listener;
              isSubscribed = true;
              return () => {
                isSubscribed = false;
              };
            },
            draw: async () => {
              await draw();
              told += 1;
              return [{ id: "part", content: `balance ${told}` }];
            },
          }),
        ),
      ),
    );
    // Node's own objects, of which a stream only sets one header.
    const env = {
      facts: { requestId: "req_1", address: undefined },
      incoming: {} as IncomingMessage,
      outgoing: { setHeader: () => undefined } as unknown as ServerResponse,
    };
    const response = await app.request("/events", { method, headers: { Cookie: cookie } }, env);
    let [text, isOpen] = ["", response.body !== null];
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString("utf8");
      isOpen = false;
    };
    void read();
    return { response, text: () => text, isOpen: () => isOpen };
  }

  it("ends with its session, and nothing of the person's is told after", async () => {
    const stream = await ask();
    await clock.advance(0);
    expect(stream.text()).toContain("balance 1");
    changed();
    await clock.advance(0);
    expect(stream.text()).toContain("balance 2");
    await sessions.endAll(userId);
    changed();
    await clock.advance(0);
    expect(stream.text()).not.toContain("balance 3");
    expect(stream.text()).toContain("event: reload");
    expect([stream.isOpen(), isSubscribed]).toEqual([false, false]);
  });

  it("tells nothing that it was still reading when the person signed out", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stream = await ask("GET", () => promise);
    await clock.advance(0);
    await sessions.endAll(userId);
    resolve();
    await clock.advance(0);
    expect(stream.text()).not.toContain("balance");
    expect(stream.isOpen()).toBe(false);
  });

  it("ends within seconds also while there is nothing to tell", async () => {
    const stream = await ask();
    await sessions.endAll(userId);
    await clock.advance(10_000);
    expect([stream.isOpen(), isSubscribed]).toEqual([false, false]);
  });

  it("does not keep a session alive that is left alone", async () => {
    for (let minutes = 0; minutes < 12 * 60; minutes += 4) {
      const stream = await ask();
      expect(stream.response.status).toBe(200);
      await clock.advance(4 * MINUTE_MS);
    }
    expect((await ask()).response.status).toBe(401);
  });

  it("is not begun for who asks for its head alone", async () => {
    const { response } = await ask("HEAD");
    expect([response.status, isSubscribed]).toEqual([200, false]);
  });
});
