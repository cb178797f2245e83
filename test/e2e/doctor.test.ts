/** `ibkr-gateway doctor` as a user runs it, on the demo of a gateway that has ended. */
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { startBuiltGateway, startProgram, temporaryFolder } from "../support/built-gateway.ts";

const dataDir = temporaryFolder();
let connectionId: string;

const doctor = (...args: readonly string[]) => startProgram("dist/cli.js", ["doctor", ...args], { DATA_DIR: dataDir });

function query(sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(dataDir, "gateway.sqlite"));
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

beforeAll(async () => {
  await (await startBuiltGateway({}, dataDir)).stop();
  connectionId = String(query("SELECT id FROM connections")[0]?.["id"]);
});

describe("ibkr-gateway doctor", () => {
  it.each([
    ["without a connection", [], "usage: ibkr-gateway doctor --paper CONNECTION [--resume] [--json]"],
    ["with an unknown option", ["--live", "x"], "usage: ibkr-gateway doctor --paper CONNECTION [--resume] [--json]"],
    ["with an unknown connection", ["--paper", "con_nope"], "there is no connection con_nope. Known: con_"],
  ])("prints one line and ends with 1 %s", async (_name, args, message) => {
    const program = doctor(...args);
    expect(await program.ended).toBe(1);
    expect(program.errors().trimEnd().split("\n")).toEqual([expect.stringContaining(`ibkr-gateway: ${message}`)]);
    expect(program.output()).toBe("");
  });

  it("cancels what it placed after Ctrl-C, and says that it stopped", async () => {
    const program = doctor("--paper", connectionId);
    await program.printed(/after the cancellation …/);
    program.child.kill("SIGINT");
    expect(await program.ended).toBe(1);
    expect(program.errors()).toBe("ibkr-gateway: Stopped.\n");
    expect(program.output()).toMatch(/while the order works +taken \(.+\) → refused as known \(/);
    expect(program.output()).not.toContain("Cancel it in IBKR's app");
    expect(query("SELECT state FROM order_requests")).toEqual([{ state: "placed" }]);
    expect(query("SELECT tool, outcome FROM audit_log WHERE tool = 'connection.doctor'")).toEqual([
      { tool: "connection.doctor", outcome: "error" },
    ]);
  }, 60_000);

  it("refuses a live connection in one line and sends nothing", async () => {
    query("UPDATE connections SET mode = 'live'");
    const sends = query("SELECT id FROM order_sends").length;
    const program = doctor("--paper", connectionId);
    expect(await program.ended).toBe(1);
    expect(program.errors()).toBe(
      "ibkr-gateway: The doctor places orders, so it runs on paper and simulated connections only. Nothing was sent.\n",
    );
    expect(query("SELECT id FROM order_sends")).toHaveLength(sends);
  });
});
