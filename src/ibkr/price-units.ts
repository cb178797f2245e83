import type { CallOptions } from "../broker/broker.ts";
import type { Contracts } from "./contracts.ts";
import type { PriceUnit } from "./endpoints/orders.ts";

const NO_UNIT: PriceUnit = { currency: undefined, magnifier: undefined };

/** Units in which contracts are quoted. */
export class PriceUnits {
  readonly #contracts: Contracts;

  constructor(contracts: Contracts) {
    this.#contracts = contracts;
  }

  /** The unit for an order's prices. Throws `contract_not_found` rather than guess: a wrong unit is a price 100 times off. */
  async ofOrder(conid: number, options: CallOptions): Promise<PriceUnit> {
    const instrument = await this.#contracts.instrument(conid, options);
    return { currency: instrument.currency, magnifier: await this.#contracts.magnifier(instrument, options) };
  }

  /** The units of the rows' contracts; currency and magnifier are undefined for contracts that IBKR no longer knows. */
  async ofRows(
    rows: readonly { readonly conid: number | undefined }[],
    options: CallOptions,
  ): Promise<(row: { readonly conid: number | undefined }) => PriceUnit> {
    const known = rows.flatMap(({ conid }) => (conid === undefined ? [] : [conid]));
    if (known.length === 0) return () => NO_UNIT;
    const instruments = await this.#contracts.instruments(known, options);
    const units = await Promise.all(
      instruments.map(async (instrument): Promise<[number, PriceUnit]> => {
        return [instrument.conid, { currency: instrument.currency, magnifier: await this.#contracts.magnifier(instrument, options) }];
      }),
    );
    const byConid = new Map(units);
    return ({ conid }) => (conid === undefined ? undefined : byConid.get(conid)) ?? NO_UNIT;
  }
}
