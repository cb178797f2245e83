import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";

import type { FetchedDocument } from "../../src/auth/oauth/document-fetch.ts";
import { noInternet, type OauthStack, type OauthStackOptions, startOauthStack } from "./oauth-stack.ts";
import { startEngine, type TestEngine } from "./storages.ts";
import { testBrowser } from "./test-browser.ts";

/** A new authorization server for each test, with a pretended internet. */
export interface OauthFixture {
  readonly stack: OauthStack;
  /** Documents on the pretended internet, by address. */
  readonly documents: Map<string, unknown>;
  /** What was fetched from it. */
  readonly fetched: readonly string[];
  /** Starts another server in place of the present one, with a database of its own. */
  restart(options: Partial<OauthStackOptions>): Promise<void>;
  /** Registers a client with these redirect URIs and answers its id. */
  registered(...redirectUris: string[]): Promise<string>;
  /** Where a new browser is sent that a client sends to authorize, or the page it gets. */
  authorize(
    clientId: string,
    redirectUri: string,
    parameters?: Readonly<Record<string, string | undefined>>,
  ): Promise<{ readonly status: number; readonly location: string | null; readonly headers: Headers; readonly text: string }>;
}

/** A JSON document as it comes from the internet. */
export function jsonDocument(document: unknown, status = 200): FetchedDocument {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return { status, contentType: "application/json; charset=utf-8", cacheHeaders: {}, text };
}

/** Starts and stops everything around each test of the file that calls this. */
export function useOauth(): OauthFixture {
  let databases: TestEngine;
  let stack: OauthStack;
  let documents = new Map<string, unknown>();
  let fetched: string[] = [];
  const start = async (options: Partial<OauthStackOptions> = {}): Promise<OauthStack> =>
    startOauthStack({
      storage: await (await databases.createDatabase()).open(),
      fetchDocument: async (url) => {
        fetched.push(url);
        const document = documents.get(url);
        return document === undefined ? await noInternet(url) : jsonDocument(document);
      },
      ...options,
    });
  beforeAll(async () => {
    databases = await startEngine("sqlite");
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    documents = new Map();
    fetched = [];
    stack = await start();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await stack.close();
  });
  return {
    get stack() {
      return stack;
    },
    get documents() {
      return documents;
    },
    get fetched() {
      return fetched;
    },
    restart: async (options) => {
      await stack.close();
      stack = await start(options);
    },
    registered: async (...redirectUris) =>
      String((await stack.register({ client_name: "Host", redirect_uris: redirectUris })).body["client_id"]),
    authorize: async (clientId, redirectUri, parameters = {}) => {
      const response = await testBrowser().get(stack.authorizeUrl({ clientId, redirectUri, parameters }));
      return {
        status: response.status,
        location: response.headers.get("location"),
        headers: response.headers,
        text: await response.text(),
      };
    },
  };
}
