import { pino } from "pino";

import { messageOf } from "../lib/errors.ts";
import { isRecord } from "../lib/json.ts";
import { readCredentials, writeCredentials } from "./cli/credentials-dir.ts";
import { HELP, parseOptions } from "./cli/parse-options.ts";
import type { CliOptions } from "./cli/parse-options.ts";
import { prepareSimulator } from "./prepare-simulator.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function run(options: CliOptions): Promise<void> {
  const { credentialsDir, publicUrl, seed, gatewayPort, ...rest } = options;
  const credentials = readCredentials(credentialsDir);
  const prepared = await prepareSimulator({
    ...rest,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(seed === undefined ? {} : { seed }),
    ...(gatewayPort === undefined ? {} : { gatewayPort }),
    ...(credentials === undefined ? {} : { credentials }),
    log: pino({ level: "warn" }, pino.destination(process.stderr.fd)),
  });
  // The files are there before the port answers, so that whoever waits for the port can read them.
  writeCredentials(credentialsDir, prepared);
  const simulator = await prepared.listen();
  const stop = (): void => {
    simulator.close().then(
      () => process.exit(0),
      (error: unknown) => fail(messageOf(error), EXIT_FAILED),
    );
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  console.log(`IBKR simulator at ${simulator.baseUrl}`);
  if (simulator.gateway !== undefined)
    console.log(`Client Portal Gateway at ${simulator.gateway.url}, certificate SHA-256 ${simulator.gateway.fingerprint}`);
  if (simulator.control !== undefined) console.log(`Steered at ${simulator.control.url}, token in ${credentialsDir}/control_token`);
  console.log(`Accounts ${simulator.accountIds.join(", ")}; credentials in ${credentialsDir}`);
}

function fail(reason: string, exitCode: number): void {
  console.error(`ibkr-simulator: ${reason.replaceAll("\n", " ")}`);
  process.exit(exitCode);
}

/** Says what went wrong in the words of the command line. */
function explain(error: unknown, { port, host, stateFile, gatewayPort }: CliOptions): string {
  const code = isRecord(error) ? error["code"] : undefined;
  switch (code) {
    case "EADDRINUSE":
      if (gatewayPort !== undefined && isRecord(error) && error["port"] === gatewayPort)
        return `port ${gatewayPort} on ${host} is in use: choose another with --gateway-port`;
      return `port ${port} on ${host} is in use: choose another with --port`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is not an address of this machine: choose another with --host`;
    case "ERR_SQLITE_ERROR":
      return `can't use the state file ${stateFile}: ${messageOf(error)}`;
    default:
      return messageOf(error);
  }
}

const request = parseOptions(process.argv.slice(2));
switch (request.kind) {
  case "help":
    console.log(HELP.trimEnd());
    break;
  case "mistake":
    fail(`${request.reason} (see --help)`, EXIT_USAGE);
    break;
  case "run":
    run(request.options).catch((error: unknown) => fail(explain(error, request.options), EXIT_FAILED));
    break;
}
