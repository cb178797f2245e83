import { describe, expect, it } from "vitest";

import { addDays, monthsBefore, zonedClock } from "./zoned-clock.ts";

describe("a zoned clock", () => {
  it("knows the instant of a local time on both sides of a change of clocks", () => {
    const newYork = zonedClock("America/New_York");
    expect(newYork?.instantOf("2026-03-07", 570)).toBe(Date.parse("2026-03-07T14:30:00Z"));
    expect(newYork?.instantOf("2026-03-08", 570)).toBe(Date.parse("2026-03-08T13:30:00Z"));
    expect(newYork?.instantOf("2026-11-01", 570)).toBe(Date.parse("2026-11-01T14:30:00Z"));
  });

  it("takes minutes before a date's midnight and beyond its end", () => {
    const chicago = zonedClock("America/Chicago");
    expect(chicago?.instantOf("2026-11-24", 17 * 60 - 1440)).toBe(Date.parse("2026-11-23T23:00:00Z"));
    expect(zonedClock("Asia/Tokyo")?.instantOf("2026-11-24", 1440)).toBe(Date.parse("2026-11-24T15:00:00Z"));
  });

  it("knows the local date", () => {
    expect(zonedClock("Asia/Tokyo")?.dateAt(Date.parse("2026-11-24T15:30:00Z"))).toBe("2026-11-25");
    expect(zonedClock("America/New_York")?.dateAt(Date.parse("2026-11-24T04:59:00Z"))).toBe("2026-11-23");
  });

  it("isn't made for a zone that there isn't", () => {
    expect(zonedClock("Mars/Olympus")).toBeUndefined();
  });
});

describe("dates", () => {
  it("are counted across months and years", () => {
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
    expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
  });

  it("some months before are the month's last day where it is shorter", () => {
    expect(monthsBefore("2026-05-31", 3)).toBe("2026-02-28");
    expect(monthsBefore("2026-02-15", 3)).toBe("2025-11-15");
    expect(monthsBefore("2026-06-30", 6)).toBe("2025-12-30");
  });
});
