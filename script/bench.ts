/**
 * Measures the built gateway on this machine, in one run: throughput and latency beside a bare `node:http` server that
 * parses the body and answers the same bytes, the time a tool call adds over the same call made directly, and memory.
 * Run by `script/bench`. The gateway, the simulator and the bare server are processes of their own, all on loopback.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import autocannon from "autocannon";
import { pino } from "pino";

import type { CallOptions } from "../src/broker/broker.ts";
import { systemClock } from "../src/lib/clock.ts";
import { systemRandom } from "../src/lib/random.ts";
import { createHostPolicy } from "../src/upstreams/host-policy.ts";
import { connectUpstream } from "../src/upstreams/index.ts";
import { startBuiltGateway, startProgram, temporaryFolder } from "../test/support/built-gateway.ts";
import { measureBearerCheck } from "./bench-bearer.ts";
import { measureQuotes, type QuoteCost } from "./bench-quotes.ts";

const CONNECTIONS = 8;
const ROUND_SECONDS = 4;
const ROUNDS = 3;
/** Until the compiler has seen enough of both servers. */
const WARM_UP_SECONDS = 4;
const MEMORY_CALLS = 10_000;
/** Clients and their calls a second: together below the pace that is allowed towards IBKR, so that no queue is measured. */
const CLIENTS = 10;
const CALLS_PER_CLIENT = 30;
const CALL_EVERY_MS = 400;

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const QUOTE = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "get_quote", arguments: { symbol: "AAPL" } } };

interface Target {
  readonly url: string;
  readonly key: string;
}

interface Speed {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** The bare server, in a process of its own: parses each body and answers the bytes of a file. */
function serveBare(answerFile: string): void {
  const answer = readFileSync(answerFile);
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      JSON.parse(Buffer.concat(chunks).toString());
      res.writeHead(200, { "Content-Type": "application/json", "Content-Length": answer.length });
      res.end(answer);
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") console.log(`bare on http://127.0.0.1:${address.port}`);
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

/** Sends one message and answers the body's bytes. */
function post({ url, key }: Target, message: unknown): Promise<Buffer> {
  const body = JSON.stringify(message);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/mcp`, { method: "POST", agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks)));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function fire(target: Target, message: unknown, limit: { duration: number } | { amount: number }): Promise<Speed> {
  const result = await autocannon({
    url: `${target.url}/mcp`,
    method: "POST",
    connections: CONNECTIONS,
    headers: { authorization: `Bearer ${target.key}`, "content-type": "application/json" },
    body: JSON.stringify(message),
    ...limit,
  });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} refusals and ${result.errors} errors`);
  return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

/** Starts the bare server as a process of its own that answers these bytes. */
async function startBare(answer: Buffer): Promise<{ target: Target; stop: () => Promise<unknown> }> {
  const answerFile = join(temporaryFolder(), "answer.json");
  writeFileSync(answerFile, answer);
  const program = startProgram(join("script", "bench.ts"), ["bare", answerFile]);
  const [, url = ""] = await program.printed(/bare on (http:\S+)/);
  return { target: { url, key: "none" }, stop: () => program.stop() };
}

/** The same message to the gateway and to a bare server that answers the same bytes, turn by turn; the mean of the rounds. */
async function compare(name: string, gateway: Target, message: unknown, aim: number): Promise<void> {
  const answer = await post(gateway, message);
  const bare = await startBare(answer);
  await fire(gateway, message, { duration: WARM_UP_SECONDS });
  await fire(bare.target, message, { duration: WARM_UP_SECONDS });
  const speeds: { gateway: Speed; bare: Speed }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    speeds.push({
      bare: await fire(bare.target, message, { duration: ROUND_SECONDS }),
      gateway: await fire(gateway, message, { duration: ROUND_SECONDS }),
    });
  }
  await bare.stop();
  const [ours, theirs] = [mean(speeds.map((speed) => speed.gateway)), mean(speeds.map((speed) => speed.bare))];
  const ratio = ours.perSecond / theirs.perSecond;
  console.log(`${name} (${answer.length} bytes)`);
  console.log(`  gateway  ${describe(ours)}`);
  console.log(`  bare     ${describe(theirs)}`);
  console.log(`  ratio    ${ratio.toFixed(2)}  (aim: at least ${aim}) ${verdict(ratio >= aim)}`);
}

function mean(speeds: readonly Speed[]): Speed {
  const of = (pick: (speed: Speed) => number): number => speeds.reduce((sum, speed) => sum + pick(speed), 0) / speeds.length;
  return { perSecond: of((speed) => speed.perSecond), p50: of((speed) => speed.p50), p99: of((speed) => speed.p99) };
}

function describe({ perSecond, p50, p99 }: Speed): string {
  return `${perSecond.toFixed(0).padStart(6)} requests/s   p50 ${p50.toFixed(1)} ms   p99 ${p99.toFixed(1)} ms`;
}

function verdict(met: boolean): string {
  return met ? "met" : "MISSED";
}

/**
 * Times of several kinds of call, in milliseconds, ascending. Some clients make them in turn at a steady pace, so that whatever
 * else the machine does meets all alike.
 */
async function timedInTurn(calls: readonly (() => Promise<unknown>)[]): Promise<number[][]> {
  const times: number[][] = calls.map(() => []);
  const timed = async (call: () => Promise<unknown>, into: number[]): Promise<void> => {
    const started = performance.now();
    await call();
    const took = performance.now() - started;
    into.push(took);
    await delay(Math.max(0, CALL_EVERY_MS - took));
  };
  const client = async (index: number): Promise<void> => {
    await delay((CALL_EVERY_MS / CLIENTS) * index);
    for (let round = 0; round < CALLS_PER_CLIENT; round += 1) {
      for (const [kind, call] of calls.entries()) await timed(call, times[kind] ?? []);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  for (const list of times) list.sort((x, y) => x - y);
  return times;
}

function quantile(ascending: readonly number[], part: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * part))] ?? Number.NaN;
}

/** The cash ledger is one request upstream and never cached: asked of the simulator directly by our client, and by a tool call. */
async function measureAddedTime(gateway: Target, simulator: { url: string; folder: string }): Promise<void> {
  const secret = (file: string): string => readFileSync(join(simulator.folder, file), "utf8").trim();
  const link = connectUpstream(
    {
      kind: "simulator",
      settings: { baseUrl: simulator.url },
      secrets: {
        consumerKey: secret("consumer_key"),
        accessToken: secret("access_token"),
        accessTokenSecret: secret("access_token_secret"),
        dhPrime: secret("dh_prime"),
        privateSignaturePem: secret("private_signature.pem"),
        privateEncryptionPem: secret("private_encryption.pem"),
        proofKey: secret("proof_key.pem"),
      },
    },
    {
      clock: systemClock,
      random: systemRandom,
      log: pino({ level: "silent" }),
      fetch: globalThis.fetch,
      expectedMode: "simulated",
      embeddedSimulator: undefined,
      hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
    },
  );
  const options = (): CallOptions => ({ signal: AbortSignal.timeout(10_000), caller: "bench" });
  await link.ready(options().signal);
  const [account] = await link.accounts(options());
  const accountId = account?.accountId ?? "";
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "get_cash", arguments: { account_id: accountId } } };
  // Opens the gateway's own session with the simulator.
  await post(gateway, message);
  const bare = await startBare(await post(gateway, message));
  const [direct = [], throughTool = [], hop = []] = await timedInTurn([
    () => link.cashLedger(accountId, options()),
    () => post(gateway, message),
    () => post(bare.target, message),
  ]);
  await bare.stop();
  await link.close();
  console.log(`time that a tool call adds (get_cash, ${CLIENTS} clients, ${direct.length} calls)`);
  for (const [name, part, aim] of [
    ["p50", 0.5, 1],
    ["p99", 0.99, 10],
  ] as const) {
    const [alone, through] = [quantile(direct, part), quantile(throughTool, part)];
    const added = through - alone;
    console.log(
      `  ${name}  direct ${alone.toFixed(2)} ms   tool ${through.toFixed(2)} ms   added ${added.toFixed(2)} ms  (aim: at most ${aim}) ${verdict(added <= aim)}`,
    );
    // What one more process on the way costs at this pace, whatever it does: most of it is the machine waking up.
    console.log(`       a call to the bare server at the same pace: ${quantile(hop, part).toFixed(2)} ms`);
  }
}

/** Resident memory of a process in MB. */
function residentMb(pid: number | undefined): number {
  const { stdout } = spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Number(stdout.trim()) / 1024;
}

async function measureMemory(gateway: Target, pid: number | undefined): Promise<void> {
  const before = residentMb(pid);
  await fire(gateway, QUOTE, { amount: MEMORY_CALLS });
  const after = residentMb(pid);
  console.log(
    `memory of the gateway: ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after ${MEMORY_CALLS} calls  (aim: at most 200) ${verdict(after <= 200)}`,
  );
}

async function showBearerCheck(): Promise<void> {
  const { token, key } = await measureBearerCheck();
  console.log("bearer check on SQLite among 100,000 live access tokens and 100,000 keys");
  console.log(`  access token  ${token.toFixed(1)} µs  (aim: at most 30) ${verdict(token <= 30)}`);
  console.log(`  API key       ${key.toFixed(1)} µs  (aim: at most 30) ${verdict(key <= 30)}`);
}

async function showQuotes(): Promise<void> {
  const { stream, poll } = await measureQuotes();
  const line = ({ calls, upstreamRequests, p50Ms, p99Ms }: QuoteCost): string =>
    `${upstreamRequests} upstream requests for ${calls} calls   p50 ${p50Ms.toFixed(2)} ms   p99 ${p99Ms.toFixed(2)} ms`;
  console.log("a warm quote, four times a second");
  console.log(`  by stream  ${line(stream)}`);
  console.log(`  by poll    ${line(poll)}`);
}

async function bench(): Promise<void> {
  const folder = temporaryFolder();
  const simulator = startProgram("dist/simulator/cli.js", ["--port", "0", "--credentials-dir", folder]);
  const [, url = ""] = await simulator.printed(/IBKR simulator at (http:\S+)/);
  const gateway = await startBuiltGateway({ SIMULATOR_URL: url, SIMULATOR_CREDENTIALS_DIR: folder });
  const target = { url: gateway.url, key: gateway.key ?? "" };
  try {
    console.log(`Node ${process.version}, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${ROUND_SECONDS} s each\n`);
    await measureAddedTime(target, { url, folder });
    await measureMemory(target, gateway.child.pid);
    await compare("tools/list", target, LIST, 0.6);
    await compare("get_quote, warm", target, QUOTE, 0.25);
    console.log(`memory of the gateway at the end: ${residentMb(gateway.child.pid).toFixed(0)} MB`);
  } finally {
    agent.destroy();
    await gateway.stop();
    await simulator.stop();
  }
  await showQuotes();
  await showBearerCheck();
}

const [mode, answerFile] = process.argv.slice(2);
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (mode === "bare" && answerFile !== undefined) serveBare(answerFile);
  else await bench();
}
