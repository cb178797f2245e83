import type { CallOptions } from "../broker/broker.ts";
import type { ScannerParameters, ScannerRequest, ScannerRun } from "../broker/research.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import { failureOf } from "./api-failures.ts";
import { errorTextOf, readReply } from "./endpoints/reply.ts";
import * as wire from "./endpoints/scanners.ts";
import { KeptReads } from "./kept-reads.ts";

/** IBKR lists its scanners once in 15 minutes, and hardly changes them within a day. */
const PARAMETERS = { maxEntries: 1, freshMs: 900_000, keptMs: 86_400_000, seldom: "IBKR lists its scanners once in 15 minutes." };
/** The same scan by several callers, and again in one conversation. */
const RUNS = { maxEntries: 50, freshMs: 10_000 };
/** IBKR gives fifty; a build that gives more must not flood the caller. */
const MAX_HITS = 50;

/** Market scanners. */
export class Scanners {
  readonly #api: Api;
  readonly #parameters: KeptReads<ScannerParameters>;
  readonly #runs: KeptReads<ScannerRun>;

  constructor(api: Api) {
    this.#api = api;
    this.#parameters = new KeptReads({ clock: api.clock, ...PARAMETERS });
    this.#runs = new KeptReads({ clock: api.clock, ...RUNS });
  }

  async parameters(options: CallOptions): Promise<ScannerParameters> {
    return await this.#parameters.read("all", options, async (shared) => {
      const body = await this.#api.read(wire.SCANNER_PARAMETERS, shared);
      return wire.toScannerParameters(readReply(wire.scannerParametersReply, body, "the scanners"), this.#api.clock.now());
    });
  }

  async run(request: ScannerRequest, options: CallOptions): Promise<ScannerRun> {
    return await this.#runs.read(JSON.stringify(request), options, async (shared) => {
      const answer = await this.#api.answer(wire.scannerRunRequest(request), shared);
      const said = errorTextOf(answer.body);
      // IBKR answers 500 for a code that it doesn't know.
      if (said !== undefined && /invalid|not valid|unknown/i.test(said)) throw refused(said);
      const failure = failureOf(answer);
      if (failure?.code === "broker_rejected") throw refused(said ?? failure.message);
      if (failure !== undefined) throw failure;
      const reply = readReply(wire.scannerRunReply, answer.body, "the scan");
      return {
        valueName: reply.scan_data_column_name ?? reply.contracts[0]?.column_name,
        hits: reply.contracts.flatMap((row) => wire.toScannerHit(row) ?? []).slice(0, MAX_HITS),
        asOf: this.#api.clock.now(),
      };
    });
  }
}

function refused(said: string): GatewayError {
  return new GatewayError("invalid_arguments", `IBKR refused the scan: ${said}.`, {
    whatToDo: "Use codes of the scanner parameters: type, instrument, a location of that instrument, and filters.",
  });
}
