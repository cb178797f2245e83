import type { Topic } from "../topic.ts";
import { bookTopic } from "./book-topic.ts";
import { historyTopic } from "./history-topic.ts";
import { ledgerTopic } from "./ledger-topic.ts";
import { marketDataTopic } from "./market-data-topic.ts";
import { ordersTopic } from "./orders-topic.ts";
import { profitTopic } from "./profit-topic.ts";
import { summaryTopic } from "./summary-topic.ts";
import { tradesTopic } from "./trades-topic.ts";

/** Everything that a client may subscribe to. */
export const TOPICS: readonly Topic[] = [
  marketDataTopic,
  historyTopic,
  ordersTopic,
  tradesTopic,
  profitTopic,
  summaryTopic,
  ledgerTopic,
  bookTopic,
];
