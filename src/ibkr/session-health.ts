import { HEALTH_LAYERS, type HealthFault, type HealthLayer, type LayerHealth, type LayerState } from "../broker/health.ts";
import type { GatewayError } from "../lib/errors.ts";

/** What is known of each layer of a link. Tells whoever listens when a layer changes its state, not of every proof that it is well. */
export class SessionHealth {
  readonly #now: () => number;
  readonly #onChange: () => void;
  readonly #layers: Map<HealthLayer, LayerHealth>;

  constructor(layers: readonly HealthLayer[], { now, onChange }: { readonly now: () => number; readonly onChange: () => void }) {
    this.#now = now;
    this.#onChange = onChange;
    const since = now();
    const ordered = HEALTH_LAYERS.filter((layer) => layers.includes(layer));
    this.#layers = new Map(ordered.map((layer) => [layer, { layer, state: "unknown", since, lastError: undefined }]));
  }

  /** In order, from the wire upwards. */
  get layers(): readonly LayerHealth[] {
    return [...this.#layers.values()];
  }

  /** Notes a layer's state; a layer that this link doesn't have is passed over. */
  set(layer: HealthLayer, state: LayerState): void {
    const known = this.#layers.get(layer);
    if (known === undefined || known.state === state) return;
    this.#layers.set(layer, { ...known, state, since: this.#now() });
    this.#onChange();
  }

  /** Notes what went wrong in a layer. */
  fail(layer: HealthLayer, state: LayerState, error: GatewayError): void {
    const known = this.#layers.get(layer);
    if (known === undefined) return;
    const lastError = faultOf(error, this.#now());
    const isNews = known.state !== state || known.lastError?.message !== lastError.message;
    this.#layers.set(layer, { ...known, state, since: known.state === state ? known.since : lastError.at, lastError });
    if (isNews) this.#onChange();
  }

  /** Of the layers above one that is down, nothing is known any more. */
  forgetAbove(layer: HealthLayer): void {
    const names = [...this.#layers.keys()];
    for (const above of names.slice(names.indexOf(layer) + 1)) this.set(above, "unknown");
  }
}

/** A failure as people are told of it. */
export function faultOf(error: GatewayError, at: number): HealthFault {
  return { code: error.code, message: error.message, whatToDo: error.whatToDo, link: error.link, at };
}
