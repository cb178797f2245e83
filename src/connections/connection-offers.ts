import type { Mode } from "../broker/account.ts";
import type { Random } from "../lib/random.ts";
import { upstreams } from "../upstreams/index.ts";
import type { ShownCertificate } from "../upstreams/gateway-certificate.ts";
import type { HostPolicy } from "../upstreams/host-policy.ts";
import type { EntryFault, PublicFile, SetUpStep } from "../upstreams/upstream.ts";
import { type ConnectionEntry, type ConnectionField, createConnectionOffer, type FieldFault } from "./connection-offer.ts";

/** A connection that people can add: its kind, what they enter for it step by step, and how that is checked and read. */
export interface ConnectionOffer {
  /** Its name in addresses and forms. A kind may be offered in two ways. */
  readonly id: string;
  /** Its kind, as it is stored. */
  readonly kind: string;
  readonly title: string;
  readonly summary: string;
  /** What it may reach; of several, the person chooses one. */
  readonly modes: readonly Mode[];
  readonly fields: readonly ConnectionField[];
  /** The steps of the set-up, with fields of this offer only; none where there is nothing to enter. */
  readonly steps: readonly SetUpStep[];
  /** Makes what a person need not make themselves: values by field name, for the draft. Empty where there is nothing to make. */
  prepare(random: Random): Promise<Readonly<Record<string, string>>>;
  /** The files that the person takes to IBKR, from the values so far. */
  publicFiles(values: Readonly<Record<string, string>>): readonly PublicFile[];
  /**
   * When, at the latest, what is set up at the broker now comes into force there by its nightly reset (epoch ms); undefined where it
   * does at once.
   */
  activeFrom(values: Readonly<Record<string, string>>, now: number): number | undefined;
  /**
   * Where the person confirms the other side's certificate: the field that takes its fingerprint, and how to read what is shown at the
   * address among the values (undefined at `http://`; throws `GatewayError` when nobody answers there or it may not be asked).
   */
  readonly certificate:
    | { readonly field: string; read(values: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ShownCertificate | undefined> }
    | undefined;
  /** Writes a field's text as it is stored: trimmed, line ends and case put right. */
  normalize(field: string, text: string): string;
  /** Faults in the values so far that can be found without asking anybody. What isn't entered is no fault. */
  check(values: Readonly<Record<string, string>>): readonly EntryFault[];
  /** Reads all values by field name; answers what to store, or what is missing or wrong. */
  read(values: Readonly<Record<string, string>>): { readonly entry: ConnectionEntry } | { readonly wrong: readonly FieldFault[] };
}

/** What decides which connections can be added on a gateway. */
export interface OfferParts {
  /** True where the gateway has a simulator of its own. */
  readonly hasSimulator: boolean;
  readonly hostPolicy: HostPolicy;
}

/** Lists what people can add on this gateway. Kinds that reach an address of the person's own are left out where none may be named. */
export function connectionOffers({ hasSimulator, hostPolicy }: OfferParts): readonly ConnectionOffer[] {
  return upstreams.flatMap((upstream) => {
    const known: ConnectionEntry = { settings: { baseUrl: "embedded" }, secrets: {} };
    const isSimulator = upstream.kind === "simulator";
    const offers = isSimulator && hasSimulator ? [createConnectionOffer(upstream, { hostPolicy, known })] : [];
    const needsAddress = (upstream.addressFields ?? []).length > 0;
    if (needsAddress && !hostPolicy.isOpen) return offers;
    const name = isSimulator ? { id: "remote-simulator", title: "Simulator at an address of its own" } : {};
    return offers.concat(createConnectionOffer(upstream, { hostPolicy, ...name }));
  });
}
