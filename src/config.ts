import { isIP } from "node:net";
import { resolve } from "node:path";

import { z } from "zod";

import type { OidcProvider } from "./auth/sign-in/oidc.ts";
import { Secret } from "./lib/secret.ts";
import { hostRuleFault } from "./upstreams/host-policy.ts";

const flag = (fallback: "on" | "off") =>
  z
    .enum(["on", "off"])
    .default(fallback)
    .transform((value) => value === "on");

const list = z
  .string()
  .default("")
  .transform((value) => value.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])));

const httpUrl = z
  .string()
  .refine((value) => ["http:", "https:"].includes(URL.parse(value)?.protocol ?? ""), "must be an http or https URL");

/** Every setting: its environment variable, its default, and one line for `docs/reference/config.md`. */
const SETTINGS = {
  PORT: z.coerce
    .number("must be a whole number")
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .describe("TCP port to listen on; 0 takes any free one."),
  HOST: z.string().min(1).default("127.0.0.1").describe("Address to bind. The default is reachable from this machine only."),
  PUBLIC_URL: httpUrl.optional().describe("The address that hosts and browsers use, without a path. Default: `http://localhost:$PORT`."),
  DATA_DIR: z
    .string()
    .min(1)
    .default("./data")
    .describe("Folder of the database, the sealing key and the simulator's state; made when missing."),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(?:ql)?:\/\//, "must begin with postgres://")
    .optional()
    .describe("A PostgreSQL database (`postgres://…`) in place of the SQLite file in `DATA_DIR`."),
  SEALING_KEY: z
    .string()
    .optional()
    .describe(
      "32 random bytes in base64 or hex that seal the credentials of connections. Default: a file of mode 0600 in `DATA_DIR`, made on first start.",
    ),
  GRANT_UNUSED_DAYS: z.coerce
    .number("must be a whole number")
    .int()
    .min(1)
    .max(3_650)
    .default(90)
    .describe("Days after which a connected app that was not used has to be approved again."),
  BUILT_IN_CLIENTS: flag("on").describe(
    "`off` refuses well-known AI hosts whose client metadata document can't be fetched; otherwise facts that come with the gateway stand in for it.",
  ),
  CLIENT_DOCUMENT_HOSTS: list.describe(
    "Hosts, comma-separated, whose client metadata documents are fetched, such as `claude.ai`. Default: any host on the public internet.",
  ),
  TRUSTED_PROXIES: list.describe(
    "Addresses or CIDR ranges, comma-separated, whose `X-Forwarded-For` is believed. A request that other peers pass on counts as theirs; the first is named in the log.",
  ),
  ALLOWED_ORIGINS: list.describe("Further origins, comma-separated, that browsers may call `/mcp` from."),
  DEMO: flag("on").describe(
    "`off` leaves out the demo owner and connection. The demo exists only while `HOST` and `PUBLIC_URL` are both loopback addresses.",
  ),
  SIMULATOR: flag("on").describe("`off` starts no embedded simulator; simulated connections to it stop working."),
  SIMULATOR_HOURS: z
    .enum(["always_open", "real"])
    .default("always_open")
    .describe("Trading hours of the embedded simulator: markets never close, or real exchange hours and holidays."),
  SIMULATOR_URL: httpUrl.optional().describe("A separately started simulator that the demo connection uses in place of the embedded one."),
  SIMULATOR_CREDENTIALS_DIR: z
    .string()
    .optional()
    .describe("The credentials folder of the simulator at `SIMULATOR_URL` (its `--credentials-dir`)."),
  GOOGLE_CLIENT_ID: z
    .string()
    .optional()
    .describe("Client id from the Google Cloud console; with its secret, people may sign in with Google."),
  GOOGLE_CLIENT_SECRET: z.string().optional().describe("Secret of the client that `GOOGLE_CLIENT_ID` names."),
  OIDC_ISSUER: httpUrl.optional().describe("Any OpenID Connect issuer at which people may sign in, such as `https://login.example.com`."),
  OIDC_CLIENT_ID: z
    .string()
    .optional()
    .describe("Client id at `OIDC_ISSUER`; its redirect address is `PUBLIC_URL/sign-in/oidc/sso/callback`."),
  OIDC_CLIENT_SECRET: z.string().optional().describe("Client secret at `OIDC_ISSUER`; left out for a public client."),
  OIDC_NAME: z.string().min(1).max(40).default("single sign-on").describe("How the sign-in page calls `OIDC_ISSUER`."),
  OIDC_ALLOWED_DOMAINS: list.describe(
    "E-mail domains, comma-separated, whose verified addresses may open an account by Google or `OIDC_ISSUER`; `*` lets everybody. Default: invitations only.",
  ),
  GATEWAY_HOSTS: list
    .refine((rules) => rules.every((rule) => hostRuleFault(rule) === undefined), { error: ({ input }) => ruleFaults(input) })
    .describe(
      "Hosts, `*.example.com`, addresses and CIDR ranges, comma-separated, where people's gateways and simulators may be. Default: none, or loopback and private addresses while `PUBLIC_URL` is loopback.",
    ),
  OPERATOR_CONTACT: z
    .string()
    .regex(/^(?:https:\/\/[^\s<>]+|[^\s<>@:]+@[^\s<>@:]+)$/, "must be an e-mail address or an https URL")
    .optional()
    .describe("Where people reach whoever runs this server: an e-mail address or an https URL, shown under privacy, terms and contact."),
  LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("How much is written to standard error, as JSON lines."),
};

const schema = z.object(SETTINGS);

/** The service's settings, checked and frozen. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Undefined until the port is known when `PORT` is 0 and `PUBLIC_URL` isn't set. */
  readonly publicUrl: string | undefined;
  readonly dataDir: string;
  readonly databaseUrl: Secret | undefined;
  readonly sealingKey: Secret | undefined;
  /** Days after which an unused grant lapses. */
  readonly grantUnusedDays: number;
  readonly builtInClients: boolean;
  /** Hosts whose client metadata documents are fetched; empty for any. */
  readonly clientDocumentHosts: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** True while the demo may exist: switched on, and both the bound address and the public URL are loopback. */
  readonly demo: boolean;
  readonly simulator: boolean;
  readonly simulatorHours: "always_open" | "real";
  readonly simulatorUrl: string | undefined;
  readonly simulatorCredentialsDir: string | undefined;
  /** Issuers at which people may sign in. */
  readonly oidcProviders: readonly OidcProvider[];
  /** Lower-case e-mail domains whose people may open an account at these, or `*`. */
  readonly oidcAllowedDomains: readonly string[];
  /** Hosts, addresses and ranges that connections may name. */
  readonly gatewayHosts: readonly string[];
  /** True while the public URL is a loopback address: the gateway serves its own machine. */
  readonly isLocal: boolean;
  readonly operatorContact: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
}

/** A setting that can't be used; the message is one line for the person who set it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads the settings from environment variables. Throws `ConfigError` that names the first bad one. */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name in SETTINGS && value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(`setting ${issue?.path.join(".") ?? "?"}: ${issue?.message ?? "is not valid"} (see docs/reference/config.md)`);
  }
  const settings = parsed.data;
  checkPublicUrl(settings.PUBLIC_URL);
  const publicUrl = settings.PUBLIC_URL === undefined ? defaultPublicUrl(settings.PORT) : new URL(settings.PUBLIC_URL).origin;
  return Object.freeze({
    port: settings.PORT,
    host: settings.HOST,
    publicUrl,
    dataDir: resolve(settings.DATA_DIR),
    databaseUrl: settings.DATABASE_URL === undefined ? undefined : new Secret(settings.DATABASE_URL),
    sealingKey: settings.SEALING_KEY === undefined ? undefined : new Secret(settings.SEALING_KEY),
    grantUnusedDays: settings.GRANT_UNUSED_DAYS,
    builtInClients: settings.BUILT_IN_CLIENTS,
    clientDocumentHosts: settings.CLIENT_DOCUMENT_HOSTS,
    trustedProxies: settings.TRUSTED_PROXIES,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    demo: settings.DEMO && isLoopbackHost(settings.HOST) && (publicUrl === undefined || isLoopbackHost(new URL(publicUrl).hostname)),
    simulator: settings.SIMULATOR && settings.SIMULATOR_URL === undefined,
    simulatorHours: settings.SIMULATOR_HOURS,
    simulatorUrl: settings.SIMULATOR_URL,
    simulatorCredentialsDir: settings.SIMULATOR_CREDENTIALS_DIR,
    oidcProviders: oidcProviders(settings),
    oidcAllowedDomains: settings.OIDC_ALLOWED_DOMAINS.map((domain) => domain.toLowerCase().replace(/^@/, "")),
    gatewayHosts: settings.GATEWAY_HOSTS,
    isLocal: publicUrl === undefined || isLoopbackHost(new URL(publicUrl).hostname),
    operatorContact: settings.OPERATOR_CONTACT,
    logLevel: settings.LOG_LEVEL,
  });
}

/** True for `localhost`, 127.0.0.0/8 and ::1, with or without brackets. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}

/** Name, default and description of each setting, for the generated reference. */
export function describeSettings(): readonly { name: string; fallback: string | undefined; description: string }[] {
  return Object.entries(SETTINGS).map(([name, setting]) => {
    const parsed = setting.safeParse(undefined);
    return { name, fallback: parsed.success ? fallbackText(parsed.data) : undefined, description: setting.description ?? "" };
  });
}

/** Names the first bad entry among the hosts. */
function ruleFaults(input: unknown): string {
  const rules = Array.isArray(input) ? input.map(String) : [];
  return rules.map(hostRuleFault).find((fault) => fault !== undefined) ?? "is not a list of hosts";
}

function fallbackText(value: unknown): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function defaultPublicUrl(port: number): string | undefined {
  return port === 0 ? undefined : `http://localhost:${port}`;
}

function oidcProviders(settings: z.infer<typeof schema>): readonly OidcProvider[] {
  const google = pairOf(["GOOGLE_CLIENT_ID", settings.GOOGLE_CLIENT_ID], ["GOOGLE_CLIENT_SECRET", settings.GOOGLE_CLIENT_SECRET]);
  const other = pairOf(["OIDC_ISSUER", settings.OIDC_ISSUER], ["OIDC_CLIENT_ID", settings.OIDC_CLIENT_ID]);
  if (other === undefined && settings.OIDC_CLIENT_SECRET !== undefined) throw missing("OIDC_ISSUER", "OIDC_CLIENT_SECRET");
  const secret = settings.OIDC_CLIENT_SECRET;
  return [
    ...(google === undefined
      ? []
      : [
          { id: "google", name: "Google", issuer: "https://accounts.google.com", clientId: google[0], clientSecret: new Secret(google[1]) },
        ]),
    ...(other === undefined
      ? []
      : [
          {
            id: "sso",
            name: settings.OIDC_NAME,
            issuer: checkedIssuer(other[0]),
            clientId: other[1],
            clientSecret: secret === undefined ? undefined : new Secret(secret),
          },
        ]),
  ];
}

/** Two settings that go together: both, or none. */
function pairOf(first: NamedSetting, second: NamedSetting): readonly [string, string] | undefined {
  const [[firstName, firstValue], [secondName, secondValue]] = [first, second];
  if (firstValue === undefined && secondValue === undefined) return undefined;
  if (firstValue === undefined) throw missing(firstName, secondName);
  if (secondValue === undefined) throw missing(secondName, firstName);
  return [firstValue, secondValue];
}

type NamedSetting = readonly [name: string, value: string | undefined];

function missing(name: string, because: string): ConfigError {
  return new ConfigError(`setting ${name}: ${because} needs it (see docs/reference/config.md)`);
}

function checkedIssuer(issuer: string): string {
  const url = new URL(issuer);
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw new ConfigError("setting OIDC_ISSUER: must be https unless it is a loopback address (see docs/reference/config.md)");
  }
  return issuer;
}

function checkPublicUrl(publicUrl: string | undefined): void {
  if (publicUrl === undefined) return;
  const url = new URL(publicUrl);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new ConfigError(
      "setting PUBLIC_URL: must be an origin such as https://gateway.example.com, without a path (see docs/reference/config.md)",
    );
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw new ConfigError("setting PUBLIC_URL: must be https unless it is a loopback address (see docs/reference/config.md)");
  }
}
