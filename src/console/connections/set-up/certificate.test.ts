import { expect, it } from "vitest";

import type { ConnectionDraft } from "../../../auth/connection-drafts.ts";
import { createConnectionOffer } from "../../../connections/connection-offer.ts";
import { KeyedLock } from "../../../lib/keyed-lock.ts";
import { clientPortalGateway } from "../../../upstreams/client-portal-gateway.ts";
import { createHostPolicy } from "../../../upstreams/host-policy.ts";
import { readCertificate } from "./certificate.tsx";

it("is read for one page of a person at a time, so that nobody looks through a host's ports by it", async () => {
  let [atOnce, most, read] = [0, 0, 0];
  const slow = {
    ...clientPortalGateway,
    certificate: {
      field: "fingerprint",
      read: async () => {
        read += 1;
        most = Math.max(most, (atOnce += 1));
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        return undefined;
      },
    },
  };
  const offer = createConnectionOffer(slow, { hostPolicy: createHostPolicy({ hosts: [], isLocal: true }) });
  const draft: ConnectionDraft = {
    draftId: "drf_1",
    offer,
    mode: "paper",
    label: "Mine",
    values: { baseUrl: "https://localhost:5000" },
    rotates: undefined,
    back: undefined,
    createdAt: 1,
    updatedAt: 1,
  };
  const lock = new KeyedLock<string>();
  const shown = await Promise.all(Array.from({ length: 5 }, () => readCertificate(draft, 1, { lock, userId: "ada" })));
  expect(shown).toEqual(Array.from({ length: 5 }, () => ({ kind: "none", field: "fingerprint" })));
  expect({ most, read }).toEqual({ most: 1, read: 5 });
  await Promise.all([readCertificate(draft, 1, { lock, userId: "ada" }), readCertificate(draft, 1, { lock, userId: "bob" })]);
  expect(most).toBe(2);
  expect(await readCertificate(draft, 0, { lock, userId: "ada" })).toBeUndefined();
});
