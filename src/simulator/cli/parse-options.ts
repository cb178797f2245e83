import { join } from "node:path";
import { parseArgs } from "node:util";

/** What the command line asks for. */
export type CliRequest =
  | { readonly kind: "run"; readonly options: CliOptions }
  | { readonly kind: "help" }
  | { readonly kind: "mistake"; readonly reason: string };

export interface CliOptions {
  readonly port: number;
  readonly host: string;
  readonly credentialsDir: string;
  readonly stateFile: string;
  readonly publicUrl: string | undefined;
  readonly seed: string | undefined;
  readonly tradingHours: "always_open" | "real";
}

const DEFAULT_PORT = 5055;
const DEFAULT_HOST = "127.0.0.1";

/** The text of `--help`. */
export const HELP = `Serves IBKR's Web API with simulated accounts, orders and prices.

Usage: ibkr-simulator --credentials-dir DIR [options]

  --credentials-dir DIR  where the consumer's files are, or are written: consumer_key, access_token, access_token_secret,
                         dh_prime, private_signature.pem, private_encryption.pem, and accounts (one id a line)
  --port P               where to listen (${DEFAULT_PORT}); 0 takes a free port
  --host H               address to listen on (${DEFAULT_HOST})
  --public-url URL       the URL that clients use and sign, where it is another
  --state FILE           SQLite file with accounts, orders and sign-ins (DIR/state.sqlite)
  --seed S               text that decides the course of all prices
  --hours HOURS          always_open (the default) or real
  --help                 print this
`;

/** Reads the command line. */
export function parseOptions(args: readonly string[]): CliRequest {
  let values: Partial<Record<string, string | boolean>>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        "credentials-dir": { type: "string" },
        port: { type: "string" },
        host: { type: "string" },
        "public-url": { type: "string" },
        state: { type: "string" },
        seed: { type: "string" },
        hours: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    return mistake(error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? "") : String(error));
  }
  if (values["help"] === true) return { kind: "help" };
  return check((name) => (typeof values[name] === "string" ? values[name] : undefined));
}

function check(value: (name: string) => string | undefined): CliRequest {
  const credentialsDir = value("credentials-dir") ?? "";
  if (credentialsDir === "") return mistake("--credentials-dir DIR is missing");
  const port = Number(value("port") ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || value("port") === "")
    return mistake("--port is not a port number (0 to 65535)");
  const tradingHours = value("hours") ?? "always_open";
  if (tradingHours !== "always_open" && tradingHours !== "real") return mistake("--hours is neither always_open nor real");
  const publicUrl = value("public-url");
  if (publicUrl !== undefined && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? ""))
    return mistake("--public-url is not an http or https URL");
  const stateFile = value("state") ?? join(credentialsDir, "state.sqlite");
  const host = value("host") ?? DEFAULT_HOST;
  return { kind: "run", options: { port, host, credentialsDir, stateFile, publicUrl, seed: value("seed"), tradingHours } };
}

function mistake(reason: string): CliRequest {
  return { kind: "mistake", reason };
}
