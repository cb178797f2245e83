import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { prepareSimulator } from "../prepare-simulator.ts";
import { createTestClient, startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";
import { TestClock } from "../test-clock.ts";
import { greetedTestSocket, openTestSocket, passWithSocket, sessionIdOf } from "./test-socket.ts";

const MINUTE_MS = 60_000;

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest({ seed: "socket" });
});

afterEach(() => client.close());

describe("opening a socket", () => {
  test("greets with the user, the accounts and the state of the session", async () => {
    await client.login();
    const socket = await openTestSocket(client);
    client.clock.advance(500);
    expect(await socket.next(() => true)).toEqual({ topic: "system", success: "simuser1", isFT: false, isPaper: true });
    expect(await socket.next(() => true)).toMatchObject({
      topic: "act",
      args: { accounts: ["DU7100001", "DU7100002"], selectedAccount: "DU7100001", isPaper: true },
    });
    expect(await socket.next(() => true)).toEqual({
      topic: "sts",
      args: {
        authenticated: true,
        competing: false,
        connected: true,
        established: true,
        message: "",
        fail: "",
        serverName: expect.any(String),
        serverVersion: expect.any(String),
        username: "simuser1",
      },
    });
  });

  test("loses what is sent before the greeting, without a word", async () => {
    await client.login();
    const socket = await openTestSocket(client);
    socket.send("str+{}");
    socket.send("tic");
    await socket.settled();
    client.clock.advance(500);
    await socket.next("sts");
    await passWithSocket(client, socket, 2_000);
    expect(socket.frames.map((frame) => frame["topic"])).toEqual(["system", "act", "sts"]);
  });

  test("takes both forms of the cookie, plain and encoded", async () => {
    await client.login();
    const id = await sessionIdOf(client);
    for (const cookie of [`api={"session":"${id}"}`, `x=1; api=${encodeURIComponent(`{"session":"${id}"}`)}; y=2`]) {
      const socket = await greetedTestSocket(client, { cookie });
      expect(socket.frames[0]).toMatchObject({ success: "simuser1" });
      socket.close();
      await socket.closed;
    }
  });

  test("waits for a session in the first frame when the cookie has none, the old way", async () => {
    await client.login();
    const id = await sessionIdOf(client);
    const socket = await openTestSocket(client, { cookie: "" });
    expect(await socket.next(() => true)).toEqual({ message: "waiting for session" });
    socket.send(JSON.stringify({ session: id }));
    await socket.settled();
    client.clock.advance(500);
    expect(await socket.next("system")).toMatchObject({ success: "simuser1" });
  });

  test("is given up when no session, or a wrong one, is named", async () => {
    await client.login();
    const silent = await openTestSocket(client, { cookie: "" });
    client.clock.advance(30_000);
    expect(await silent.closed).toBe(1008);
    const wrong = await openTestSocket(client, { cookie: "" });
    wrong.send('{"session":"0000"}');
    expect(await wrong.closed).toBe(1008);
  });

  test("is refused without a user agent, with a wrong token or cookie, and elsewhere", async () => {
    await client.login();
    await expect(openTestSocket(client, { userAgent: "" })).rejects.toThrow("refused with 403");
    await expect(openTestSocket(client, { oauthToken: "abc" })).rejects.toThrow("refused with 401");
    await expect(openTestSocket(client, { cookie: "api=nonsense" })).rejects.toThrow("refused with 401");
  });

  test("needs no brokerage session, which then only some topics lack", async () => {
    await client.signIn();
    const socket = await openTestSocket(client);
    client.clock.advance(500);
    await socket.next("system");
    expect(await socket.next("sts")).toMatchObject({ args: { authenticated: false, connected: true, established: false } });
    expect(socket.frames.some((frame) => frame["topic"] === "act")).toBe(false);
    for (const text of ['smd+265598+{"fields":["31"]}', "sor+{}", "str+{}", 'smh+265598+{"period":"1d"}', "sbd+DU7100001+265598"]) {
      socket.send(text);
      expect(await socket.next((frame) => "error" in frame)).toEqual({ error: "Bad Request: no bridge", code: 1 });
    }
    for (const text of ["spl+{}", "ssd+DU7100001+{}", "sld+DU7100001+{}"]) socket.send(text);
    await passWithSocket(client, socket, 500);
    for (const topic of ["spl", "ssd+DU7100001", "sld+DU7100001"]) await socket.next(topic);
  });
});

describe("an open socket", () => {
  test("beats every ten seconds and answers tic", async () => {
    await client.login();
    const socket = await greetedTestSocket(client);
    await passWithSocket(client, socket, 30_000);
    const beats = socket.frames.filter((frame) => "hb" in frame);
    expect(beats).toHaveLength(3);
    expect(beats.map((frame) => frame["topic"])).toEqual(["system", "system", "system"]);
    expect(Number(beats[1]?.["hb"]) - Number(beats[0]?.["hb"])).toBe(10_000);
    socket.send("tic");
    expect(await socket.next("tic")).toEqual({
      topic: "tic",
      alive: true,
      id: await sessionIdOf(client),
      lastAccessed: expect.any(Number),
    });
  });

  test("answers an unknown topic and unreadable text with an error, and lives on", async () => {
    await client.login();
    const socket = await greetedTestSocket(client);
    for (const text of ["xyz+{}", "hello", "smd+265598+{", "{}", "SMD+1"]) {
      socket.send(text);
      expect(await socket.next((frame) => "error" in frame)).toEqual({ error: expect.stringMatching(/^Topic unknown/), code: 1 });
    }
    socket.send("tic");
    await socket.next("tic");
  });

  test("tells when the brokerage session ends and when it is back, and has forgotten its subscriptions", async () => {
    await client.login();
    const socket = await greetedTestSocket(client);
    socket.send('smd+265598+{"fields":["31"]}');
    await passWithSocket(client, socket, 500);
    await socket.next("smd+265598");
    socket.send("tic");
    await passWithSocket(client, socket, 3 * MINUTE_MS - 1_000);
    socket.send("tic");
    await socket.settled();
    await passWithSocket(client, socket, 2 * MINUTE_MS);
    socket.send("tic");
    await socket.settled();
    await passWithSocket(client, socket, 2 * MINUTE_MS);
    expect(await socket.next("sts")).toEqual({ topic: "sts", args: { authenticated: false, established: false } });
    const before = socket.frames.length;
    await client.call("POST", "/iserver/auth/ssodh/init", { body: { publish: true, compete: true } });
    await passWithSocket(client, socket, 2_000);
    expect(await socket.next("sts")).toMatchObject({ args: { authenticated: true } });
    expect(await socket.next("sts")).toMatchObject({ args: { established: true } });
    await socket.next("act");
    await passWithSocket(client, socket, 3_000);
    expect(socket.frames.slice(before).some((frame) => frame["topic"] === "smd+265598")).toBe(false);
  });

  test("is closed after a logout, and when its client is silent for long", async () => {
    await client.login();
    const silent = await greetedTestSocket(client);
    await passWithSocket(client, silent, 2 * MINUTE_MS);
    client.clock.advance(MINUTE_MS);
    expect(await silent.closed).toBe(1001);
    const socket = await greetedTestSocket(client);
    await client.call("POST", "/logout");
    client.clock.advance(500);
    expect(await socket.closed).toBe(1008);
    expect(socket.frames.at(-1)).toMatchObject({ topic: "sts", args: { authenticated: false } });
  });

  test("is closed with words of its own when bytes, too much, or the end of the simulator come", async () => {
    await client.login();
    const bytes = await greetedTestSocket(client);
    bytes.sendBytes(Buffer.from("tic"));
    expect(await bytes.closed).toBe(1003);
    const large = await greetedTestSocket(client);
    large.send("x".repeat(70_000));
    expect(await large.closed).toBe(1009);
    const other = await startSimulatorForTest();
    await other.login();
    const last = await greetedTestSocket(other);
    await other.close();
    expect(await last.closed).toBe(1001);
  });

  test("must be subscribed again after a reconnect", async () => {
    await client.login();
    const first = await greetedTestSocket(client);
    first.send("sor+{}");
    await passWithSocket(client, first, 500);
    await first.next("sor");
    first.close();
    await first.closed;
    const second = await greetedTestSocket(client);
    await passWithSocket(client, second, 5_000);
    expect(second.frames.some((frame) => frame["topic"] === "sor")).toBe(false);
  });
});

describe("the server of sockets", () => {
  test("tells bulletins and notices unasked, falls silent, and cuts connections", async () => {
    const clock = new TestClock();
    const prepared = await prepareSimulator({ clock, control: true });
    const own = createTestClient(await prepared.listen(), clock);
    await own.login();
    const socket = await greetedTestSocket(own);
    const early = await openTestSocket(own);
    prepared.sockets.push("blt", { id: "b1", message: "The exchange is closed." });
    prepared.sockets.push("ntf", { id: "n1", text: "Margin", title: "Notice", url: "" }, "simuser1");
    prepared.sockets.push("ntf", { id: "n2" }, "somebody else");
    expect(await socket.next("blt")).toEqual({ topic: "blt", args: { id: "b1", message: "The exchange is closed." } });
    expect(await socket.next("ntf")).toMatchObject({ args: { id: "n1" } });
    await passWithSocket(own, socket, 500);
    expect(socket.frames.some((frame) => frame["topic"] === "ntf" && JSON.stringify(frame).includes("n2"))).toBe(false);
    expect(early.frames.some((frame) => frame["topic"] === "blt")).toBe(false);
    const faults = { kind: "stream_silence", for_ms: 30_000 };
    const control = { authorization: `Bearer ${prepared.control?.token}`, "content-type": "application/json", "user-agent": "test" };
    const { url } = own.simulator;
    await fetch(`${url}/simulator/control/faults`, { method: "POST", headers: control, body: JSON.stringify(faults) });
    const before = socket.frames.length;
    socket.send("tic");
    await passWithSocket(own, socket, 29_500);
    expect(socket.frames).toHaveLength(before);
    await passWithSocket(own, socket, 500);
    expect(socket.frames.length).toBeGreaterThan(before);
    prepared.sockets.drop();
    expect(await socket.closed).toBe(1006);
    await own.close();
  });

  test("is steered by the control endpoint: it tells an order's prompt, and cuts connections", async () => {
    const clock = new TestClock();
    const prepared = await prepareSimulator({ clock, control: true });
    const own = createTestClient(await prepared.listen(), clock);
    await own.login();
    const socket = await greetedTestSocket(own);
    const headers = { authorization: `Bearer ${prepared.control?.token}`, "content-type": "application/json", "user-agent": "test" };
    const steer = async (path: string, body: unknown): Promise<number> => {
      const url = `${own.simulator.url}/simulator/control/sockets/${path}`;
      return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).status;
    };
    const prompt = { orderId: 987654, reqId: "12345", text: "Proceed?", options: ["Yes", "No"], type: "M", messageId: "p12", prompt: true };
    expect(await steer("push", { topic: "ntf", args: prompt })).toBe(200);
    expect(await socket.next("ntf")).toEqual({ topic: "ntf", args: prompt });
    expect(await steer("push", { topic: "sor", args: [] })).toBe(400);
    expect(await steer("drop", {})).toBe(200);
    expect(await socket.closed).toBe(1006);
    await own.close();
  });

  test("sends no data to a client that reads nothing, and cuts it after half a minute", async () => {
    const clock = new TestClock();
    const prepared = await prepareSimulator({ clock });
    const own = createTestClient(await prepared.listen(), clock);
    await own.login();
    const slow = await greetedTestSocket(own);
    const quick = await greetedTestSocket(own);
    slow.pause();
    // More than the operating system holds for a connection.
    for (let count = 0; count < 400; count += 1) prepared.sockets.push("blt", { message: "x".repeat(60_000) });
    await passWithSocket(own, quick, 31_000);
    slow.resume();
    expect(await slow.closed).toBe(1006);
    expect(slow.frames.some((frame) => "hb" in frame)).toBe(false);
    expect(quick.frames.filter((frame) => "hb" in frame)).toHaveLength(3);
    await own.close();
  });
});
