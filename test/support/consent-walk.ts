/** What tests of the pages share: a whole gateway with one person, and a host that asks to be let in. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { Page } from "playwright-core";

import { type TestGateway, type TestGatewayOptions, startGateway } from "./gateway.ts";
import { challengeOf, noInternet, VERIFIER } from "./oauth-stack.ts";
import { PERSON, setUpPerson } from "./person.ts";

/** A host on this machine: its name and address, and where people come back to it. */
export interface TestHost {
  readonly clientId: string;
  readonly redirectUri: string;
  /** Where a browser is to go to begin an authorization. */
  authorizeUrl(parameters?: Readonly<Record<string, string>>): string;
  /** The query of each browser that came back, oldest first. */
  readonly returned: readonly URLSearchParams[];
  /** Exchanges a code for tokens. */
  exchange(code: string): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

/** A gateway that reaches no internet, with its set-up link. */
export async function startGatewayForPeople(options: TestGatewayOptions = {}): Promise<TestGateway & { readonly setupUrl: string }> {
  const gateway = await startGateway({ ...options, deps: { fetchDocument: noInternet, ...options.deps } });
  const { setup, publicUrl } = gateway.app;
  return { ...gateway, url: publicUrl, setupUrl: setup.kind === "link" ? setup.url.reveal() : "" };
}

/** Makes a further person, without connections, in a browser of their own. */
export async function invitePerson(operator: Page, invited: Page, origin: string): Promise<void> {
  await operator.goto(`${origin}/account`);
  await operator.getByRole("button", { name: "Make a link" }).click();
  const link = await operator
    .getByText(/\/invite\/[\w-]+/)
    .first()
    .textContent();
  await setUpPerson(invited, /https?:\S+\/invite\/[\w-]+/.exec(link ?? "")?.[0] ?? "", {
    ...PERSON,
    displayName: "Grace Hopper",
    loginName: "grace",
  });
}

/** Registers a host that waits on loopback for people to come back. */
export async function registerHost(gatewayUrl: string, metadata: Readonly<Record<string, unknown>> = {}): Promise<TestHost> {
  const returned: URLSearchParams[] = [];
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? "/", "http://host.test");
    if (url.pathname === "/callback") returned.push(url.searchParams);
    res.setHeader("Content-Type", "text/html").end("<!doctype html><title>The host</title><h1>Back at the host</h1>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // It listens on a port, so its address is one.
  const { port } = server.address() as AddressInfo;
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  const response = await fetch(`${gatewayUrl}/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_name: "Test host", redirect_uris: [redirectUri], ...metadata }),
  });
  // RFC 7591 answers an object with the id.
  const { client_id: clientId } = (await response.json()) as { client_id: string };
  const query = { response_type: "code", client_id: clientId, redirect_uri: redirectUri, code_challenge: challengeOf(VERIFIER) };
  return {
    clientId,
    redirectUri,
    returned,
    authorizeUrl: (parameters = {}) =>
      `${gatewayUrl}/authorize?${new URLSearchParams({ ...query, code_challenge_method: "S256", state: "state-1", ...parameters }).toString()}`,
    exchange: async (code) => {
      const form = { grant_type: "authorization_code", code, client_id: clientId, redirect_uri: redirectUri, code_verifier: VERIFIER };
      const answer = await fetch(`${gatewayUrl}/token`, { method: "POST", body: new URLSearchParams(form) });
      // RFC 6749 answers an object.
      return (await answer.json()) as Record<string, unknown>;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
