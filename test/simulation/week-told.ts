import type { CashLedger, Position } from "../../src/broker/account.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { isRecord, parseLossless } from "../../src/lib/json.ts";

/** Everything that one user's IBKR has said of holdings and cash, so that an answer can be traced to whom it was meant for. */
export class Told {
  readonly #facts = new Set<string>();

  /** Takes in an answer of the user's own IBKR. */
  take(path: string, text: string): void {
    const [, accountId, what] = /^\/portfolio\/([^/]+)\/(positions|ledger)(?:\/|$)/.exec(path) ?? [];
    if (accountId === undefined) return;
    const reply = parseLossless(text);
    if (what === "positions" && Array.isArray(reply)) for (const row of reply) if (isRecord(row)) this.#holding(accountId, row);
    if (what === "ledger" && isRecord(reply))
      for (const [currency, row] of Object.entries(reply))
        if (isRecord(row)) this.#facts.add(fact(accountId, currency, numberOf(row["cashbalance"])));
  }

  /** What of these holdings nobody told this user. */
  strangeIn(accountId: string, positions: readonly Position[]): readonly string[] {
    const facts = positions.map(({ conid, quantity, marketValue }) => fact(accountId, conid, quantity, marketValue));
    return facts.filter((each) => !this.#facts.has(each));
  }

  /** The same of a ledger. */
  strangeInLedger({ accountId, balances }: CashLedger): readonly string[] {
    const facts = balances.map(({ currency, cash }) => fact(accountId, currency, cash));
    return facts.filter((each) => !this.#facts.has(each));
  }

  /** How many of these facts would fit the other user's account of the same number, too. */
  sharedWith(other: Told): number {
    const plain = (each: string): string => each.replace(/^D?U/, "");
    const others = new Set([...other.#facts].map(plain));
    return [...this.#facts].filter((each) => others.has(plain(each))).length;
  }

  get size(): number {
    return this.#facts.size;
  }

  #holding(accountId: string, row: Readonly<Record<string, unknown>>): void {
    this.#facts.add(fact(accountId, String(row["conid"]), numberOf(row["position"]), numberOf(row["mktValue"])));
  }
}

function fact(accountId: string, ...parts: readonly (string | number | Decimal | undefined)[]): string {
  return [accountId, ...parts.map(String)].join(" ");
}

function numberOf(value: unknown): Decimal {
  return Decimal.parse(String(value));
}
