import { pino } from "pino";

import { createApp } from "../../src/app.ts";
import type { App, AppDeps } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { maskAccounts } from "../../src/lib/mask-accounts.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { temporaryFolder } from "./built-gateway.ts";
import { callTool } from "./mcp-call.ts";
import type { ToolAnswer } from "./mcp-call.ts";

/** A whole gateway inside the test's process, with the demo's default key. */
export interface TestGateway {
  readonly app: App;
  readonly url: string;
  readonly key: string;
  readonly dataDir: string;
  /** All that was logged, as JSON lines. */
  readonly logged: readonly string[];
  tool(name: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Parts of the world to replace: clock, randomness, the network edge. */
  readonly deps?: Partial<AppDeps>;
  readonly dataDir?: string;
}

/** Composes the gateway as the program does, on a free port with a new data folder. */
export async function startGateway({
  environment = {},
  deps = {},
  dataDir = temporaryFolder(),
}: TestGatewayOptions = {}): Promise<TestGateway> {
  const logged: string[] = [];
  const log = pino({ level: "debug", hooks: { streamWrite: maskAccounts } }, { write: (line: string) => void logged.push(line) });
  const config = loadConfig({ PORT: "0", DATA_DIR: dataDir, ...environment });
  const app = await createApp(config, { clock: systemClock, random: systemRandom, log, fetch: globalThis.fetch, ...deps });
  const key = app.demo.kind === "created" ? app.demo.key.reveal() : "";
  const { url } = app;
  return { app, url, key, dataDir, logged, tool: (name, args) => callTool({ url, key }, name, args), close: () => app.close() };
}
