import { expect, it } from "vitest";

import { createLivePlaces } from "./live-places.ts";

it("gives each person a few places and all together no more than there are, and takes each back once", () => {
  const places = createLivePlaces({ maxOfUser: 2, maxOfAll: 3 });
  const first = places.reserve("ada");
  expect(first).toBeDefined();
  expect(places.reserve("ada")).toBeDefined();
  expect(places.reserve("ada")).toBeUndefined();
  expect(places.reserve("grace")).toBeDefined();
  expect(places.reserve("grace")).toBeUndefined();
  first?.();
  first?.();
  expect(places.reserve("grace")).toBeDefined();
  expect(places.reserve("ada")).toBeUndefined();
});
