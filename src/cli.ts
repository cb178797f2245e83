import { doctorCommand } from "./cli-doctor.ts";
import { keyCommand } from "./cli-key.ts";
import { userCommand } from "./cli-user.ts";
import { version } from "./lib/version.ts";
import { serve, startFailure } from "./main.ts";
import type { ProcessFace } from "./main.ts";

const USAGE = `ibkr-gateway: an MCP server for Interactive Brokers accounts

  ibkr-gateway serve                 start the gateway (settings: environment variables, docs/reference/config.md)
  ibkr-gateway key create [options]  make an API key and print it once
      --connection ID    the connection it opens (may be left out when there is only one)
      --label TEXT       what it is for
      --scope SCOPE      read or write (write, the default, includes reading)
      --accounts A,B     only these accounts
      --toolsets A,B     sets of tools to list beside the core: reports, derivatives, research, or all
      --expires-in DAYS  days until it expires
  ibkr-gateway key list              list keys
  ibkr-gateway key revoke ID         revoke a key at once
  ibkr-gateway user list             list the people who have an account
  ibkr-gateway user invite [options] make a link by which one person opens an account; before the first has, the set-up link
      --for TEXT         for whom it is
      --operator         this person may invite others too
  ibkr-gateway user reset NAME       make a link by which a person sets a new password
  ibkr-gateway doctor --paper CONNECTION [--resume] [--json]
                                     find out what IBKR does with a repeated order id, on a paper or simulated connection
  ibkr-gateway version`;

async function run(face: ProcessFace, [command, ...rest]: readonly string[]): Promise<void> {
  switch (command) {
    case "serve":
      return serve(face);
    case "key":
      return keyCommand(face, rest);
    case "user":
      return userCommand(face, rest);
    case "doctor":
      return doctorCommand(face, rest);
    case "version":
    case "--version":
      return face.print(version());
    case "help":
    case "--help":
    case undefined:
      return face.print(USAGE);
    default:
      throw new Error(`there is no command "${command}" (ibkr-gateway help lists them)`);
  }
}

const face: ProcessFace = { environment: process.env, print: (line) => void process.stdout.write(`${line}\n`) };
try {
  await run(face, process.argv.slice(2));
  process.exit(0);
} catch (error) {
  process.stderr.write(`ibkr-gateway: ${startFailure(error)}\n`);
  process.exit(1);
}
