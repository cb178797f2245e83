/** What one page needs beyond the strict default, by CSP directive; undefined leaves a directive out. */
export type ContentSecurityOverrides = Readonly<Record<string, string | undefined>>;

const STRICT: ContentSecurityOverrides = {
  "default-src": "'none'",
  "style-src": "'self'",
  "script-src": "'self'",
  "img-src": "'self' data:",
  "form-action": "'self'",
  "frame-ancestors": "'none'",
  "base-uri": "'none'",
};

/**
 * For pages whose form ends at a host's redirect address: browsers apply `form-action` to the whole chain of redirects,
 * and hosts redirect on to schemes of their own, so the directive is left out.
 */
export const ANY_FORM_TARGET: ContentSecurityOverrides = { "form-action": undefined };

/** For pages whose script asks this site for more, as live pages do. */
export const LIVE_PAGE: ContentSecurityOverrides = { "connect-src": "'self'" };

/** Builds the value of `Content-Security-Policy`: nothing but our own style, script and images, unless overridden. */
export function contentSecurityPolicy(overrides: ContentSecurityOverrides = {}): string {
  return Object.entries({ ...STRICT, ...overrides })
    .flatMap(([directive, sources]) => (sources === undefined ? [] : [`${directive} ${sources}`]))
    .join("; ");
}
