import { type Random, randomId } from "../lib/random.ts";

/** Makes ids of requests: unique over restarts by a random start, and cheap, because each is only counted up. */
export function createRequestIds(random: Random): () => string {
  const start = randomId(random, "req_", 8);
  let count = 0;
  return () => {
    count += 1;
    return `${start}${count.toString(36)}`;
  };
}
