import { Decimal } from "../../lib/decimal.ts";
import type { TradingStore } from "./trading-store.ts";

const DAY_MS = 86_400_000;
/** How long before the first start the demo accounts were opened. */
const ACCOUNT_AGE_DAYS = 180;

/** Opens the demo's two paper accounts, one of them not in USD, and pays their starting cash in. */
export function openDemoAccounts(store: TradingStore, now: number): void {
  const openedAt = now - ACCOUNT_AGE_DAYS * DAY_MS;
  const open = (id: string, baseCurrency: string, cash: Readonly<Record<string, string>>): void => {
    store.addAccount({ id, title: "Ada Example", baseCurrency, openedAt });
    for (const [currency, amount] of Object.entries(cash))
      store.addDeposit({ accountId: id, currency, amount: Decimal.parse(amount), at: openedAt });
  };
  open("DU7100001", "USD", { USD: "850000", EUR: "60000", GBP: "25000", JPY: "1500000" });
  open("DU7100002", "EUR", { EUR: "180000", USD: "45000", CHF: "12000" });
}
