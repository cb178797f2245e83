import { renderToString } from "hono/jsx/dom/server";
import { expect, it } from "vitest";

import { consentTexts as texts } from "../../pages/texts/consent.ts";
import type { AuthorizationRequest } from "../oauth/consent-desk.ts";
import { AskingApp } from "./asking-app.tsx";

const claude: AuthorizationRequest = {
  interactionId: "i",
  clientId: "https://claude.ai/oauth/client.json",
  claimedName: "Claude",
  identity: "metadata_document",
  clientHost: "claude.ai",
  redirectUri: "https://claude.ai/api/mcp/auth_callback",
  redirectKind: "https",
  askedScope: undefined,
};
const shown = (changes: Partial<AuthorizationRequest> = {}) => renderToString(<AskingApp request={{ ...claude, ...changes }} />);
const escaped = (text: string) => renderToString(<>{text}</>);

it("names the host that answers for the client and the one that people are sent to, and warns of nothing that was checked", () => {
  expect(shown()).toContain(`<dt>${texts.client}</dt><dd>claude.ai</dd>`);
  expect(shown()).toContain(`<dt>${texts.redirect}</dt><dd><bdi>claude.ai</bdi></dd>`);
  expect(shown()).not.toContain(texts.warningTitle);
});

it("warns of a client that only registered itself, whatever it calls itself", () => {
  const html = shown({ identity: "registered", clientHost: undefined });
  expect(html).toContain(escaped(texts.selfRegistered));
  expect(html).toContain(escaped(texts.warnings.registered));
});

it("says when a client's own description could not be had", () => {
  expect(shown({ identity: "built_in" })).toContain(escaped(texts.warnings.built_in));
});

it("warns of what opens links on the device, and says which", () => {
  const loopback = shown({ redirectKind: "loopback", redirectUri: "http://127.0.0.1:33418/cb" });
  expect(loopback).toContain("127.0.0.1:33418");
  expect(loopback).toContain(escaped(texts.warnings.loopback));
  const scheme = shown({ redirectKind: "custom_scheme", redirectUri: "cursor://anysphere.cursor/cb" });
  expect(scheme).toContain("<bdi>cursor:</bdi>");
  expect(scheme).toContain(escaped(texts.warnings.custom_scheme));
});

it("shows a hostile name as text", () => {
  expect(shown({ claimedName: "<img src=x>\u202Etxt" })).toContain("<bdi>&lt;img src=x&gt; txt</bdi>");
});
