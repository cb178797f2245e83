import { describe, expect, it } from "vitest";

import type { SurveyedConnection } from "../../connections/connection-survey.ts";
import { accountKey, type ConsentChoices, decide, firstChoices, readChoices } from "./consent-form.ts";

const account = (accountId: string) => ({ accountId, title: undefined, type: undefined, baseCurrency: undefined });
const surveyed = (connectionId: string, accountIds: readonly string[] | undefined): SurveyedConnection => ({
  connectionId,
  label: connectionId,
  mode: "live",
  health: accountIds === undefined ? "unknown" : "ready",
  accounts: accountIds?.map(account),
  problem: undefined,
});
const ONE = surveyed("con_1", ["U1", "U2"]);
const TWO = surveyed("con_2", ["U3"]);
const BLIND = surveyed("con_3", undefined);
const who = { userId: "usr_1", now: 1_000 };
const whole: ConsentChoices = {
  connectionId: "con_1",
  scope: "read",
  accounts: "all",
  accountKeys: [],
  toolsets: [],
  duration: "until_revoked",
};

describe("a new consent form", () => {
  it("has read-only chosen, and a connection only when there is no other", () => {
    expect(firstChoices([ONE])).toEqual(whole);
    expect(firstChoices([ONE, TWO])).toMatchObject({ connectionId: undefined, scope: "read" });
  });
});

describe("what was chosen", () => {
  it("is read as it stands, and what is no choice is none", () => {
    const fields = new URLSearchParams(
      "connection=con_1&scope=write&accounts=some&account=con_1/U1&account=con_2/U3&toolset=research&toolset=reports&duration=one_day",
    );
    expect(readChoices(fields)).toEqual({
      connectionId: "con_1",
      scope: "write",
      accounts: "some",
      accountKeys: ["con_1/U1", "con_2/U3"],
      toolsets: ["reports", "research"],
      duration: "one_day",
    });
    expect(readChoices(new URLSearchParams("scope=admin&toolset=orders&duration=toString"))).toEqual({
      connectionId: undefined,
      scope: undefined,
      accounts: "all",
      accountKeys: [],
      toolsets: [],
      duration: undefined,
    });
  });

  it("becomes a decision of this person", () => {
    expect(decide(whole, [ONE, TWO], who)).toEqual({
      decision: { userId: "usr_1", connectionId: "con_1", scope: "read", allowedAccountIds: undefined, toolsets: [], expiresAt: undefined },
    });
    expect(decide({ ...whole, duration: "thirty_days", scope: "write", toolsets: ["derivatives"] }, [ONE], who)).toMatchObject({
      decision: { scope: "write", toolsets: ["derivatives"], expiresAt: 1_000 + 30 * 86_400_000 },
    });
  });

  it("counts accounts of the chosen connection only, and never more than it has", () => {
    const keys = [accountKey("con_1", "U2"), accountKey("con_2", "U3"), accountKey("con_1", "U9")];
    expect(decide({ ...whole, accounts: "some", accountKeys: keys }, [ONE, TWO], who)).toMatchObject({
      decision: { allowedAccountIds: ["U2"] },
    });
  });

  it("that is missing or somebody else's is named", () => {
    const nothing: ConsentChoices = {
      connectionId: undefined,
      scope: undefined,
      accounts: "some",
      accountKeys: [],
      toolsets: [],
      duration: undefined,
    };
    expect(decide(nothing, [ONE], who)).toEqual({ mistakes: ["connection", "scope", "duration"] });
    expect(decide({ ...whole, connectionId: "con_9" }, [ONE], who)).toEqual({ mistakes: ["connection"] });
    expect(decide({ ...whole, accounts: "some", accountKeys: ["con_2/U3"] }, [ONE, TWO], who)).toEqual({ mistakes: ["accounts"] });
    expect(decide({ ...whole, connectionId: "con_3", accounts: "some", accountKeys: ["con_3/U1"] }, [BLIND], who)).toEqual({
      mistakes: ["accounts"],
    });
  });
});
