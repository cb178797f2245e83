/** An OpenID Connect issuer on loopback that stands for Google: `oidc-provider` with people who are who the test says. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { Provider } from "oidc-provider";

/** A person at the issuer. */
export interface IssuerPerson {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly hd?: string;
}

export interface TestIssuer {
  readonly url: string;
  /** Who signs in next; undefined cancels. */
  person: IssuerPerson | undefined;
  /** All authorization requests that came. */
  readonly asked: readonly URLSearchParams[];
  /** Answers every request with 503 while true. */
  isDown: boolean;
  /** Follows an authorization request as a browser would, and answers the redirect address with code and state. */
  signIn(authorizationUrl: string): Promise<string>;
  close(): Promise<void>;
}

export const ISSUER_CLIENT = { clientId: "gateway", clientSecret: "a secret of the test issuer's client" };

/** Starts the issuer with one client that may come back to `redirectUris`. */
export async function startOidcIssuer(redirectUris: () => readonly string[]): Promise<TestIssuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address with a port.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked: URLSearchParams[] = [];
  const issuer = { person: undefined as IssuerPerson | undefined, isDown: false };
  const people = new Map<string, IssuerPerson>();
  let provider: Provider | undefined;
  const made = () => (provider ??= createProvider(url, redirectUris(), people));
  server.on("request", (req, res) => {
    if (issuer.isDown) {
      res.writeHead(503).end();
      return;
    }
    if (req.url?.startsWith("/auth?") === true) asked.push(new URL(req.url, url).searchParams);
    if (req.url?.startsWith("/interaction/") !== true) {
      void made().callback()(req, res);
      return;
    }
    const { person } = issuer;
    if (person !== undefined) people.set(person.sub, person);
    void finish(made(), req, res, person);
  });
  return {
    url,
    asked,
    get person() {
      return issuer.person;
    },
    set person(person) {
      issuer.person = person;
    },
    get isDown() {
      return issuer.isDown;
    },
    set isDown(isDown) {
      issuer.isDown = isDown;
    },
    signIn: (authorizationUrl) => follow(authorizationUrl, url),
    close: () => closed(server),
  };
}

function createProvider(url: string, redirectUris: readonly string[], people: ReadonlyMap<string, IssuerPerson>): Provider {
  return new Provider(url, {
    clients: [{ client_id: ISSUER_CLIENT.clientId, client_secret: ISSUER_CLIENT.clientSecret, redirect_uris: [...redirectUris] }],
    claims: { openid: ["sub", "hd"], email: ["email", "email_verified"], profile: ["name"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ ...people.get(sub), sub }) }),
    cookies: { keys: ["a key of the test issuer"] },
    // Everything that is asked for is granted, so that the only page is the interaction of the test.
    loadExistingGrant: async (context) => {
      const { client, session, provider } = context.oidc;
      const grant = new provider.Grant({
        ...(client === undefined ? {} : { clientId: client.clientId }),
        ...(session?.accountId === undefined ? {} : { accountId: session.accountId }),
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
}

async function finish(
  provider: Provider,
  req: Parameters<Provider["interactionFinished"]>[0],
  res: Parameters<Provider["interactionFinished"]>[1],
  person: IssuerPerson | undefined,
): Promise<void> {
  const result =
    person === undefined ? { error: "access_denied", error_description: "the person cancelled" } : { login: { accountId: person.sub } };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
}

async function follow(start: string, origin: string): Promise<string> {
  const cookies = new Map<string, string>();
  for (let at = start, hops = 0; hops < 10; hops += 1) {
    const response = await fetch(at, {
      redirect: "manual",
      headers: { Cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("Location");
    if (location === null) throw new Error(`the issuer answered ${response.status}: ${await response.text()}`);
    at = new URL(location, at).href;
    if (!at.startsWith(`${origin}/`)) return at;
  }
  throw new Error("the issuer redirects for ever");
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
