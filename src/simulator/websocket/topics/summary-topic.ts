import { isRecord } from "../../../lib/json.ts";
import { portfolioSummary } from "../../trading/portfolio-summary.ts";
import type { Topic } from "../topic.ts";
import { createAccountTopic } from "./account-topic.ts";

/** `ssd+<account>+{…}`: the figures of the portfolio's summary, under their keys in mixed case. */
export const summaryTopic: Topic = createAccountTopic({
  name: "ssd",
  ends: "usd",
  subject: "summary",
  repeats: false,
  always: ["key", "timestamp"],
  rows: (valuation) =>
    Object.entries(portfolioSummary(valuation)).flatMap(([key, entry]) => {
      if (!isRecord(entry)) return [];
      const { amount, currency, value, severity } = entry;
      const timestamp = Math.floor(valuation.at / 1000);
      return [{ key: spelled(key), timestamp, monetaryValue: amount, currency, value, severity }];
    }),
});

/** Words that the keys are made of, in the case in which the socket spells them. */
const WORDS =
  /account|accrued|after|available|billable|buying|cash|charges|code|column|credit|cushion|day|debit|deposit|dividend|equity|excess|expiration|full|funds|gross|guarantee|haircut|highest|hold|in|indian|init|lever|liquid|loan|look|ahead|maint|margin|memo|net|next|nlv|pa|pending|physical|certificate|position|post|power|previous|prio|ready|reg|remaining|req|review|segment|severity|shares|sma|status|stock|title|total|trad|type|uncertainty|value|what|with|withdraw/g;

/** `accruedcash-s` as `AccruedCash-S`. Clients compare keys without their case. */
function spelled(key: string): string {
  const [name = "", segment] = key.split("-");
  const words = name.replaceAll(WORDS, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  const capital = words.charAt(0).toUpperCase() + words.slice(1);
  return segment === undefined ? capital : `${capital}-${segment.toUpperCase()}`;
}
