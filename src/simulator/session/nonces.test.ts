import { describe, expect, test } from "vitest";

import { Nonces } from "./nonces.ts";

const now = 1_795_446_000_000;
const second = (offset: number) => String(now / 1000 + offset);

describe("nonces", () => {
  test("are good once", () => {
    const nonces = new Nonces(300);
    expect(nonces.refusal(second(0), "a", now)).toBeUndefined();
    nonces.use(second(0), "a", now);
    expect(nonces.refusal(second(0), "a", now)).toBe("replay");
    expect(nonces.refusal(second(0), "b", now)).toBeUndefined();
    expect(nonces.refusal(second(1), "a", now)).toBeUndefined();
  });

  test("need a timestamp in seconds within the window", () => {
    const nonces = new Nonces(300);
    expect(nonces.refusal(second(-300), "a", now)).toBeUndefined();
    expect(nonces.refusal(second(300), "a", now)).toBeUndefined();
    for (const timestamp of [second(-301), second(301), String(now), "", "-1", "1e9", "abc"])
      expect(nonces.refusal(timestamp, "a", now)).toBe("timestamp");
    expect(nonces.refusal(second(0), "", now)).toBe("timestamp");
  });

  test("stay refused until their timestamp is too old by itself", () => {
    const nonces = new Nonces(300);
    nonces.use(second(0), "a", now);
    nonces.use(second(299), "b", now + 299_000);
    expect(nonces.refusal(second(0), "a", now + 299_000)).toBe("replay");
    expect(nonces.refusal(second(0), "a", now + 301_000)).toBe("timestamp");
  });

  test("take a bounded amount of memory without letting a replay through", () => {
    const nonces = new Nonces(300);
    nonces.use(second(-200), "old", now);
    for (let index = 0; index < 45_000; index += 1) nonces.use(second(0), `n${index}`, now);
    expect(nonces.refusal(second(-200), "old", now)).toBe("timestamp");
    expect(nonces.refusal(second(0), "n0", now)).toBe("replay");
    expect(nonces.refusal(second(0), "new", now)).toBeUndefined();
  });
});
