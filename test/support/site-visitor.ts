/** A browser without a window: keeps cookies, sends forms as a browser does, and follows nothing by itself. */
export interface SiteVisitor {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<VisitedPage>;
  /** Sends a form to `path` with the form token that stood on the last page, unless it is given. */
  post(path: string, fields: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<VisitedPage>;
  /** Sends JSON as the pages' script does. */
  postJson(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<VisitedPage>;
  readonly cookies: Map<string, string>;
  /** The form token of the last page that had one. */
  formToken: string;
}

/** What came back. */
export interface VisitedPage {
  readonly status: number;
  readonly location: string | undefined;
  readonly headers: Headers;
  readonly text: string;
}

/** A visitor of a gateway at `origin`, in a new browser. `keepsCookies: false` refuses them all. */
export function siteVisitor(origin: string, { keepsCookies = true }: { readonly keepsCookies?: boolean } = {}): SiteVisitor {
  const cookies = new Map<string, string>();
  const send = async (path: string, init: RequestInit): Promise<VisitedPage> => {
    const headers = new Headers(init.headers);
    headers.set("Accept", "text/html");
    if (cookies.size > 0 && !headers.has("Cookie"))
      headers.set("Cookie", Array.from(cookies, ([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(new URL(path, origin), { ...init, headers, redirect: "manual" });
    for (const line of keepsCookies ? response.headers.getSetCookie() : []) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/; Max-Age=0/.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const text = await response.text();
    visitor.formToken = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? visitor.formToken;
    return { status: response.status, location: response.headers.get("Location") ?? undefined, headers: response.headers, text };
  };
  const visitor: SiteVisitor = {
    cookies,
    formToken: "",
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, fields, headers = {}) =>
      send(path, {
        method: "POST",
        headers: { Origin: origin, "Sec-Fetch-Site": "same-origin", ...headers },
        body: new URLSearchParams({ form_token: visitor.formToken, ...fields }),
      }),
    postJson: (path, body, headers = {}) =>
      send(path, {
        method: "POST",
        headers: { Origin: origin, "Content-Type": "application/json", "X-Form-Token": visitor.formToken, ...headers },
        body: JSON.stringify(body),
      }),
  };
  return visitor;
}
