import { pino } from "pino";

import { createApp } from "./app.ts";
import type { App } from "./app.ts";
import { LINK_HOURS } from "./auth/sign-in/one-time-links.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { systemClock } from "./lib/clock.ts";
import { maskAccounts } from "./lib/mask-accounts.ts";
import { systemRandom } from "./lib/random.ts";
import { version } from "./lib/version.ts";

/** Where a command writes for people, and what it was started with. */
export interface ProcessFace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
}

/**
 * Runs the gateway until SIGINT or SIGTERM: settings, parts, a welcome, and on a signal an orderly end.
 * Rejects with an error of one line when it can't start.
 */
export async function serve({ environment, print }: ProcessFace): Promise<void> {
  const config = loadConfig(environment);
  const log = pino({ level: config.logLevel, base: null, hooks: { streamWrite: maskAccounts } }, pino.destination({ dest: 2, sync: true }));
  const app = await createApp(config, { clock: systemClock, random: systemRandom, log, fetch: globalThis.fetch });
  for (const line of welcome(app, config.dataDir)) print(line);
  const signal = await new Promise<string>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, "stopping: running calls are finished first");
  await app.close();
}

/** What a person sees when the gateway is ready; the demo's key only on the first start. */
function welcome(app: App, dataDir: string): readonly string[] {
  const lines = [
    `IBKR Gateway ${version()}: an MCP server for Interactive Brokers accounts (not affiliated with Interactive Brokers)`,
    "",
    `  MCP endpoint   ${app.publicUrl}/mcp`,
    `  Health         ${app.publicUrl}/healthz`,
    `  Data           ${dataDir}`,
  ];
  switch (app.demo.kind) {
    case "absent":
      break;
    case "ready":
      lines.push("", "  The demo connection is simulated money on a simulated market that never closes.", ...keyHint());
      break;
    case "created":
      lines.push(
        "",
        "  A demo connection was made: simulated money on a simulated market that never closes.",
        `  Its API key, shown only this once:  ${app.demo.key.reveal()}`,
        "",
        "  Try it:",
        "",
        `    curl -sS ${app.publicUrl}/mcp -H "Authorization: Bearer ${app.demo.key.reveal()}" -H "Content-Type: application/json" \\`,
        `      -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
        ...keyHint(),
      );
  }
  return [...lines, ...setupHint(app), "", `listening on ${app.url}`];
}

function setupHint({ setup }: App): readonly string[] {
  switch (setup.kind) {
    case "done":
      return [];
    case "waiting":
      return ["", "  Nobody has set up an account yet. For a new set-up link:  ibkr-gateway user invite"];
    case "link":
      return [
        "",
        `  Set up your account (this link works once, for ${LINK_HOURS.setup} hours):`,
        "",
        `    ${setup.url.reveal()}`,
        "",
        "  Whoever opens it becomes this gateway's first person. For a new link:  ibkr-gateway user invite",
      ];
  }
}

function keyHint(): readonly string[] {
  return [
    "",
    "  Keys are stored hashed and can't be shown again. To make another:  ibkr-gateway key create",
    "  (in a checkout: script/ibkr-gateway key create)",
  ];
}

/** One line for the person who started a command that can't go on. */
export function startFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error)) return String(error);
  // Node adds these members to errors of the system; each may be absent.
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  switch (code) {
    case "EADDRINUSE":
      return `${address ?? ""}:${port ?? ""} is in use by another program: stop it, or set PORT to another port`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `can't bind to ${address ?? "that address"}: set HOST to an address of this machine`;
    default:
      return error.message.split("\n")[0] ?? "unknown error";
  }
}
