import type { HealthFault, LayerHealth, LinkHealth } from "../../broker/health.ts";
import { Notice } from "../../pages/components/notice.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { connectionTexts } from "../../pages/texts/connections.ts";
import { connectionHealthTexts as texts } from "../../pages/texts/connection-health.ts";
import type { ConnectionTest } from "./connection-tests.ts";
import type { OverallHealth } from "./overall-health.ts";

/** What is wrong now, what to do, and when it is tried again. */
export function FaultNotice({ overall, link, now }: { readonly overall: OverallHealth; readonly link: LinkHealth; readonly now: number }) {
  const { fault } = overall;
  const retryAt = overall.state === "waiting" ? link.retryAt : undefined;
  if (fault === undefined && retryAt === undefined) return <></>;
  return (
    <Notice tone={overall.tone === "bad" ? "error" : "warning"} isQuiet>
      {fault !== undefined && <Fault fault={fault} now={now} />}
      {retryAt !== undefined && (
        <p>
          {texts.retryAt}: <RelativeTime at={retryAt} now={now} />
        </p>
      )}
    </Notice>
  );
}

function Fault({ fault, now }: { readonly fault: HealthFault; readonly now: number }) {
  return (
    <>
      <p>
        <strong>{fault.message}</strong>{" "}
        <span class="hint">
          (<RelativeTime at={fault.at} now={now} />)
        </span>
      </p>
      <p>{fault.whatToDo}</p>
      {fault.link !== undefined && isSafeLink(fault.link) && (
        <p>
          <a href={fault.link} rel="noreferrer">
            {texts.help}
          </a>
        </p>
      )}
    </>
  );
}

/** A page of ours, or one by https or on this machine: a gateway that the person runs names its own login page. */
function isSafeLink(link: string): boolean {
  return link.startsWith("/") || link.startsWith("https://");
}

export interface HealthLayersProps {
  readonly id: string;
  readonly layers: readonly LayerHealth[];
  readonly now: number;
  readonly isOpen: boolean;
  /** The fault that is told above already. */
  readonly told: HealthFault | undefined;
  /** Leaves out what each layer means, as cards do. */
  readonly isShort?: boolean;
}

/** Every layer from the wire upwards with its state; folded away while all is well. */
export function HealthLayers({ id, layers, now, isOpen, told, isShort = false }: HealthLayersProps) {
  if (layers.length === 0) return <></>;
  return (
    <details class="fold" id={id} open={isOpen}>
      <summary>{texts.layersSummary}</summary>
      <ol class="layers">
        {layers.map((layer) => (
          <Layer layer={layer} now={now} isShort={isShort} isTold={told !== undefined && layer.lastError?.message === told.message} />
        ))}
      </ol>
    </details>
  );
}

const SIGNS: Readonly<Record<LayerHealth["state"], string>> = { unknown: "○", working: "◌", ok: "✓", waiting: "▲", down: "✕" };

interface LayerProps {
  readonly layer: LayerHealth;
  readonly now: number;
  readonly isTold: boolean;
  readonly isShort: boolean;
}

function Layer({ layer: shown, now, isTold, isShort }: LayerProps) {
  const { layer, state, since, lastError } = shown;
  return (
    <li class={`layer ${state}`}>
      <span class="layer-sign" aria-hidden="true">
        {SIGNS[state]}
      </span>
      <div>
        <p>
          <strong>{texts.layers[layer]}</strong>{" "}
          <span class="layer-state">
            {texts.layerStates[state]}
            {state !== "unknown" && (
              <>
                , {texts.since} <RelativeTime at={since} now={now} />
              </>
            )}
          </span>
        </p>
        {!isShort && <p class="hint">{texts.layerMeaning[layer]}</p>}
        {lastError !== undefined && !isTold && (
          <div class="layer-error">
            <p class="hint">{texts.lastError}</p>
            <Fault fault={lastError} now={now} />
          </div>
        )}
      </div>
    </li>
  );
}

/** How far a test is, or what it found. */
export function TestOutcome({ test, mode }: { readonly test: ConnectionTest | undefined; readonly mode: string }) {
  const words = connectionTexts.test;
  if (test === undefined) return <></>;
  if (test.finishedAt === undefined) {
    return (
      <p class="progress" role="status">
        <span class="progress-sign" aria-hidden="true" />
        {words.runningLong}
      </p>
    );
  }
  const result = resultOf(test.found);
  const accounts = (test.found?.accounts ?? []).map(({ accountId }) => accountId);
  switch (result) {
    case "passed":
      return (
        <Notice tone="success" title={words.passed}>
          {accounts.length > 0 && <p>{words.accounts(accounts)}</p>}
          {mode === "simulated" && <p>{words.invented}</p>}
        </Notice>
      );
    case "partly":
      return <Notice tone="warning" title={words.failedPartly}></Notice>;
    case "failed":
      return <Notice tone="error" title={words.failed}></Notice>;
    case "stopped":
      return (
        <Notice tone="error">
          <p>{words.stopped}</p>
        </Notice>
      );
  }
}

/** A test passed when the session stands and no layer is down; a session that nobody answers for works in no part. */
function resultOf(found: LinkHealth | undefined): "passed" | "partly" | "failed" | "stopped" {
  if (found === undefined) return "stopped";
  const troubled = found.layers.filter(({ state }) => state === "down" || state === "waiting");
  if (found.state !== "established" || troubled.some(({ layer }) => layer === "network")) return "failed";
  return troubled.length > 0 ? "partly" : "passed";
}
