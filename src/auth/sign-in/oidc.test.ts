import { expect, it } from "vitest";

import { maySignUp, type OidcIdentity } from "./oidc.ts";

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
