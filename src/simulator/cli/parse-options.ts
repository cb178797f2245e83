import { join } from "node:path";
import { parseArgs } from "node:util";

import type { UserKind } from "../trading/demo.ts";

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
  readonly user: UserKind;
  readonly control: boolean;
  readonly maintenance: boolean;
  /** Undefined for no gateway. */
  readonly gatewayPort: number | undefined;
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
  --user KIND            paper (the default), live, or advisor: whose accounts it holds
  --maintenance          keep IBKR's daily reset and its maintenance on Saturday evening
  --gateway-port P       serve the Client Portal Gateway too, over TLS; needs the openssl command once
  --control              let it be steered at /simulator/control with the token in DIR/control_token
  --help                 print this

DIR/proof_key.pem is the public key with which POST /simulator/proof signs a nonce.
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
        user: { type: "string" },
        maintenance: { type: "boolean" },
        "gateway-port": { type: "string" },
        control: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    return mistake(error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? "") : String(error));
  }
  if (values["help"] === true) return { kind: "help" };
  const flags = { control: values["control"] === true, maintenance: values["maintenance"] === true };
  return check((name) => (typeof values[name] === "string" ? values[name] : undefined), flags);
}

function check(value: (name: string) => string | undefined, flags: Pick<CliOptions, "control" | "maintenance">): CliRequest {
  const credentialsDir = value("credentials-dir") ?? "";
  if (credentialsDir === "") return mistake("--credentials-dir DIR is missing");
  const port = portOf(value("port") ?? String(DEFAULT_PORT));
  if (port === undefined) return mistake("--port is not a port number (0 to 65535)");
  const gateway = value("gateway-port");
  const gatewayPort = gateway === undefined ? undefined : portOf(gateway);
  if (gateway !== undefined && gatewayPort === undefined) return mistake("--gateway-port is not a port number (0 to 65535)");
  const user = value("user") ?? "paper";
  if (user !== "paper" && user !== "live" && user !== "advisor") return mistake("--user is none of paper, live, advisor");
  const tradingHours = value("hours") ?? "always_open";
  if (tradingHours !== "always_open" && tradingHours !== "real") return mistake("--hours is neither always_open nor real");
  const publicUrl = value("public-url");
  if (publicUrl !== undefined && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? ""))
    return mistake("--public-url is not an http or https URL");
  const stateFile = value("state") ?? join(credentialsDir, "state.sqlite");
  const host = value("host") ?? DEFAULT_HOST;
  const where = { port, host, credentialsDir, stateFile, publicUrl, gatewayPort };
  return { kind: "run", options: { ...where, ...flags, user, seed: value("seed"), tradingHours } };
}

function portOf(text: string): number | undefined {
  const port = Number(text);
  return text === "" || !Number.isInteger(port) || port < 0 || port > 65_535 ? undefined : port;
}

function mistake(reason: string): CliRequest {
  return { kind: "mistake", reason };
}
