import { expect, it } from "vitest";

import { isFreshSignIn, maySignUp, type OidcIdentity } from "./oidc.ts";

const GOOGLE = "https://accounts.google.com";
const person = (changes: Partial<OidcIdentity>): OidcIdentity => ({
  issuer: "https://login.example.com",
  subject: "1",
  email: "ada@example.com",
  hostedDomain: undefined,
  displayName: "Ada",
  ...changes,
});

it.each<[string, Partial<OidcIdentity>, readonly string[], boolean]>([
  ["an allowed domain", {}, ["example.com"], true],
  ["no list at all", {}, [], false],
  ["another domain", {}, ["example.org"], false],
  ["a subdomain", { email: "ada@eu.example.com" }, ["example.com"], false],
  ["no verified address", { email: undefined }, ["example.com"], false],
  ["everybody allowed", { email: undefined }, ["*"], true],
  ["an address with two signs", { email: "ada@example.com@evil.example" }, ["example.com"], false],
  ["an organisation's account at Google", { issuer: GOOGLE, hostedDomain: "example.com" }, ["example.com"], true],
  ["a private account at Google with an organisation's address", { issuer: GOOGLE }, ["example.com"], false],
  ["a private account at Google", { issuer: GOOGLE, email: "ada@gmail.com" }, ["gmail.com"], true],
])("with %s somebody may or may not open an account", (_what, changes, domains, expected) => {
  expect(maySignUp(person(changes), domains)).toBe(expected);
});

const BEGUN = Date.UTC(2026, 10, 23, 15, 0, 0);

it.each<[string, number | undefined, boolean]>([
  ["just now", BEGUN / 1000 + 30, true],
  ["a little before, by a clock that is behind", BEGUN / 1000 - 59, true],
  ["an hour before", BEGUN / 1000 - 3600, false],
  ["at a time that it keeps to itself", undefined, false],
])("an issuer that saw the person %s has proved them anew or not", (_when, authTime, expected) => {
  expect(isFreshSignIn(authTime, BEGUN)).toBe(expected);
});
