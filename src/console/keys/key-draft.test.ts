import { describe, expect, it } from "vitest";

import { checkKeyDraft, firstDraft, type KeyDraft, readKeyDraft } from "./key-draft.ts";

const NOW = Date.UTC(2026, 1, 10, 15);
const DAY_MS = 86_400_000;
const check = (changes: Partial<KeyDraft>, knownAccounts: readonly string[] | undefined = ["DU1", "DU2"]) =>
  checkKeyDraft({ ...firstDraft("f", "laptop"), ...changes }, { now: NOW, knownAccounts });

describe("the form of a key", () => {
  it("begins with careful choices", () => {
    expect(check({})).toEqual({
      choices: { label: "laptop", scope: "read", allowedAccountIds: undefined, toolsets: [], expiresAt: NOW + 90 * DAY_MS },
    });
  });

  it("gives what was chosen, each account once", () => {
    expect(check({ scope: "write", accountChoice: "some", accounts: ["DU2", "DU2"], toolsets: ["research"], expiry: "never" })).toEqual({
      choices: { label: "laptop", scope: "write", allowedAccountIds: ["DU2"], toolsets: ["research"], expiresAt: undefined },
    });
  });

  it("takes a date until its end in UTC, today too", () => {
    expect(check({ expiry: "date", expiresOn: "2026-02-10" })).toMatchObject({ choices: { expiresAt: Date.UTC(2026, 1, 11) } });
    expect(check({ expiry: "date", expiresOn: "2027-03-01" })).toMatchObject({ choices: { expiresAt: Date.UTC(2027, 2, 2) } });
  });

  it.each([
    ["label", { label: " \u200b " }],
    ["label", { label: "x".repeat(101) }],
    ["scope", { scope: "admin" }],
    ["accounts", { accountChoice: "some" }],
    ["accounts", { accountChoice: "some", accounts: ["U999"] }],
    ["accounts", { accountChoice: "" }],
    ["toolsets", { toolsets: ["everything"] }],
    ["expiry", { expiry: "" }],
    ["expiry", { expiry: "constructor" }],
    ["expires_on", { expiry: "date", expiresOn: "" }],
    ["expires_on", { expiry: "date", expiresOn: "2026-02-09" }],
    ["expires_on", { expiry: "date", expiresOn: "2026-02-30" }],
    ["expires_on", { expiry: "date", expiresOn: "9999-01-01" }],
  ] as const)("marks %s in %j and nothing else", (field, changes) => {
    const checked = check(changes);
    expect("errors" in checked ? Object.keys(checked.errors) : []).toEqual([field]);
  });

  it("allows no single account while the accounts aren't known", () => {
    const unknown = checkKeyDraft(
      { ...firstDraft("f", "laptop"), accountChoice: "some", accounts: ["DU1"] },
      { now: NOW, knownAccounts: undefined },
    );
    expect(unknown).toHaveProperty("errors.accounts");
  });

  it("is read as it was sent, whatever is missing", () => {
    expect(readKeyDraft(new URLSearchParams("label=a&account=1&account=2&toolset=x"))).toEqual({
      label: "a",
      scope: "",
      accountChoice: "",
      accounts: ["1", "2"],
      toolsets: ["x"],
      expiry: "",
      expiresOn: "",
      formId: "",
    });
  });
});
