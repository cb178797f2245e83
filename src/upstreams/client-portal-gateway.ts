import { z } from "zod";

import { GatewayLogin } from "../ibkr/gateway-login.ts";
import { createIbkrBroker } from "../ibkr/ibkr-broker.ts";
import { proveIbkrMode } from "../ibkr/mode-proof.ts";
import { normalizeFingerprint, readGatewayCertificate } from "./gateway-certificate.ts";
import { createGuardedEdge } from "./guarded-edge.ts";
import type { EntryFault, Upstream } from "./upstream.ts";

const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;

const settings = z
  .object({
    /** Where it listens: `https://localhost:5000`. */
    baseUrl: z.url({ protocol: /^https?$/ }),
    /** SHA-256 of its certificate, which a person confirmed; not needed for `http://`. */
    fingerprint: z.string().regex(FINGERPRINT).optional(),
  })
  .refine(({ baseUrl, fingerprint }) => fingerprint !== undefined || baseUrl.startsWith("http:"), { path: ["fingerprint"] });

/** A Client Portal Gateway (or IBeam) that the person runs: a program of IBKR's where they log in with a browser. */
export const clientPortalGateway: Upstream<typeof settings, never> = {
  kind: "client-portal-gateway",
  title: "Client Portal Gateway",
  modes: ["paper", "live"],
  settings,
  secretFields: [],
  addressFields: ["baseUrl"],
  loginOf: ({ baseUrl }) => originOf(baseUrl),
  form: {
    summary:
      "Your account at Interactive Brokers through IBKR's Client Portal Gateway or IBeam, which you run and log in to yourself, once a day or so.",
    fields: {
      baseUrl: { label: "Address", help: "Where the gateway listens, such as https://localhost:5000." },
      fingerprint: {
        label: "Certificate fingerprint",
        help: "SHA-256 of the certificate that the gateway shows. Only a server with this very certificate is trusted.",
      },
    },
  },
  steps: [
    {
      id: "address",
      title: "Where your gateway is",
      text: "Start the Client Portal Gateway (or IBeam) and log in to it with a browser on the machine where it runs. For a paper account, log in with your paper username.\n\nThen enter its address here.",
      fields: ["baseUrl"],
    },
    {
      id: "certificate",
      title: "Is this your gateway?",
      text: "Your gateway shows a certificate that it made itself, so nobody else can vouch for it. Compare the fingerprint below with the one that your browser shows for the gateway's page (click the lock, then the certificate, then SHA-256).\n\nOnce you confirm it, only a server with this very certificate is trusted. If it ever changes, this connection stops and tells you.",
      fields: ["fingerprint"],
    },
  ],
  certificate: {
    field: "fingerprint",
    read: ({ baseUrl = "" }, hostPolicy, signal) => readGatewayCertificate(originOf(baseUrl), hostPolicy, signal),
  },
  normalize: (field, text) => (field === "fingerprint" ? normalizeFingerprint(text) : originOf(text)),
  check,
  connect: ({ baseUrl: where, fingerprint }, _secrets, deps) => {
    const { clock, random, log, expectedMode, hostPolicy } = deps;
    const url = hostPolicy.checkUrl(originOf(where));
    const edge = createGuardedEdge({ url, hostPolicy, fingerprint });
    const login = new GatewayLogin({ loginUrl: url.origin, clock });
    const budget = deps.budgets?.join(url.origin, login.face, { isVouched: false });
    return createIbkrBroker({
      baseUrl: `${url.origin}/v1/api`,
      login,
      proveMode: proveIbkrMode,
      expectedMode,
      clock,
      random,
      log,
      fetch: edge.fetch,
      socket: edge.socket,
      ...(budget === undefined ? {} : { budget }),
    });
  },
};

/** An address as people copy it from a browser or a configuration, without its path: a gateway serves from the root. */
function originOf(text: string): string {
  const url = URL.parse(text);
  const hasMore = url === null || url.username !== "" || url.search !== "" || url.hash !== "";
  return hasMore || !url.protocol.startsWith("http") ? text : url.origin;
}

function check({ fingerprint }: Readonly<Record<string, string>>): readonly EntryFault[] {
  if (fingerprint === undefined || FINGERPRINT.test(fingerprint)) return [];
  return [
    {
      field: "fingerprint",
      message: "This is not a SHA-256 fingerprint: it has 64 hexadecimal digits.",
      whatToDo: "Confirm the fingerprint that this page read from the gateway, or copy the one that your browser shows for it.",
    },
  ];
}
