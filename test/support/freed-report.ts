const kind = (name: string) => ({ kind: name, said: "", questions: [] });
const seen = { customerOrderId: "gwdoc-1-1", orders: 1 };

/** The doctor's report of a broker that refuses a `cOID` twice, and that leaves it free when a question was declined. */
export const FREED_REPORT = JSON.stringify({
  run: "gwdoc-1",
  accountId: "DU1",
  symbol: "AAPL",
  at: 1,
  customerOrderId: "gwdoc-1-1",
  sentBrokerAt: null,
  left: [],
  findings: [
    { ...seen, case: "working", again: kind("registered") },
    { ...seen, case: "cancelled", again: kind("registered") },
    { ...seen, case: "declined", first: kind("declined"), again: kind("accepted") },
  ],
});
