/** A browser's part in a redirect flow: cookies by path, and one step at a time. */
export interface TestBrowser {
  /** Goes to an address and answers what came, without following it. */
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The `Cookie` header that would go to this path. */
  cookiesFor(path: string): string;
  /** Everything that is kept, as `name=value; Path=/…`. */
  readonly jar: readonly string[];
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** A new browser without cookies. With `cookies: false` it refuses them all. */
export function testBrowser({ cookies = true }: { readonly cookies?: boolean } = {}): TestBrowser {
  const kept = new Map<string, Cookie>();
  const cookiesFor = (path: string): string =>
    [...kept.values()]
      .filter((cookie) => path === cookie.path || path.startsWith(cookie.path.endsWith("/") ? cookie.path : `${cookie.path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  return {
    cookiesFor,
    get jar() {
      return [...kept.values()].map(({ name, value, path }) => `${name}=${value}; Path=${path}`);
    },
    get: async (url, headers = {}) => {
      const cookie = cookiesFor(new URL(url).pathname);
      const response = await fetch(url, {
        redirect: "manual",
        headers: { Accept: "text/html,application/xhtml+xml,*/*;q=0.8", ...(cookie === "" ? {} : { Cookie: cookie }), ...headers },
      });
      if (!cookies) return response;
      for (const line of response.headers.getSetCookie()) {
        const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
        const [name = "", value = ""] = pair.split(/=(.*)/s);
        const path = attributes.find((part) => /^path=/i.test(part))?.slice(5) ?? "/";
        const expired = value === "" || attributes.some((part) => /^expires=thu, 01 jan 1970/i.test(part));
        if (expired) kept.delete(`${name} ${path}`);
        else kept.set(`${name} ${path}`, { name, value, path });
      }
      return response;
    },
  };
}
