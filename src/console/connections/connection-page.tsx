import type { ConnectionHealth } from "../../connections/connections.ts";
import { plainText } from "../../lib/plain-text.ts";
import { Badge } from "../../pages/components/badge.tsx";
import { Card } from "../../pages/components/card.tsx";
import { Copyable } from "../../pages/components/copyable.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { CONSOLE_PATHS } from "../../pages/console-navigation.ts";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { connectionHealthTexts } from "../../pages/texts/connection-health.ts";
import type { OpenOrders } from "../../storage/order-requests.ts";
import { AccountList, SharedNameWarning, Verified } from "./connection-card.tsx";
import { ActionForm } from "./connection-form.tsx";
import { connectionPath } from "./connection-paths.ts";
import { ConnectionSettings } from "./connection-settings.tsx";
import type { ConnectionTest } from "./connection-tests.ts";
import { FaultNotice, HealthLayers, TestOutcome } from "./health-view.tsx";
import { OrdersNotice } from "./orders-notice.tsx";
import { overallHealth } from "./overall-health.ts";
import { KeyWait } from "./set-up/key-wait.tsx";

/** Id of the part that live pages keep current. */
export const STATE_ID = "state";

export interface ConnectionPageProps {
  readonly health: ConnectionHealth;
  readonly test: ConnectionTest | undefined;
  readonly now: number;
  readonly formToken: string;
  readonly mcpUrl: string;
  readonly servesDemo: boolean;
  readonly openOrders: OpenOrders;
  /** Name of its kind for people. */
  readonly kindTitle: string;
  readonly keyCount: number;
  readonly appCount: number;
  /** By when the broker takes its keys into use; undefined when it has. */
  readonly activeFrom: number | undefined;
  /** False where there is nothing to change: the gateway's own simulator. */
  readonly hasCredentials: boolean;
  /** What was typed as the new name, and why it can't be used. */
  readonly rename?: { readonly typed: string; readonly error: string | undefined } | undefined;
}

/** Everything about one connection: its state, what uses it, and its switches. */
export function ConnectionPage(props: ConnectionPageProps) {
  const { health, now } = props;
  return (
    <div class="stack" data-live={connectionPath(health.connectionId, "events")}>
      <StatePart {...props} />
      {props.activeFrom !== undefined && <KeyWait at={props.activeFrom} now={now} />}
      <Card heading={texts.useIt} id="use">
        <Copyable id="mcp-url" label={texts.mcpUrl} text={props.mcpUrl} />
        <p class="hint">{texts.mcpHint}</p>
        <DescriptionList
          rows={[
            { name: texts.callers.title, value: texts.callers.count(props.keyCount, props.appCount) },
            { name: texts.kind, value: props.kindTitle },
            ...(health.userName === undefined ? [] : [{ name: texts.userName, value: <PlainName value={health.userName} /> }]),
            { name: texts.accounts, value: <AccountList accounts={health.accounts} isWhole /> },
            { name: texts.created, value: <RelativeTime at={health.createdAt} now={now} /> },
          ]}
        />
        <div class="actions">
          <a class="button secondary small" href={connectionPath(health.connectionId, "portfolio")}>
            {texts.portfolio}
          </a>
          <a class="button secondary small" href={CONSOLE_PATHS.keys}>
            {texts.keys}
          </a>
          <a class="button secondary small" href={CONSOLE_PATHS.apps}>
            {texts.apps}
          </a>
        </div>
      </Card>
      <ConnectionSettings {...props} />
    </div>
  );
}

/** How the connection is, with what can be done about it: the part of the page that changes by itself. */
export function StatePart({
  health,
  test,
  now,
  formToken,
  servesDemo,
  openOrders,
}: Pick<ConnectionPageProps, "health" | "test" | "now" | "formToken" | "servesDemo" | "openOrders">) {
  const overall = overallHealth(health, servesDemo);
  const { connectionId } = health;
  const mayTest = overall.state !== "paused" && overall.state !== "not_served";
  const mayTakeOver = overall.state === "competing" || overall.state === "logged_out";
  return (
    <section class={`card connection ${overall.tone}`} id={STATE_ID} aria-label={connectionHealthTexts.heading}>
      <header class="connection-head">
        <h2>{connectionHealthTexts.heading}</h2>
        <Badge tone={overall.tone}>{overall.word}</Badge>
      </header>
      <p class="connection-state">{overall.sentence}</p>
      <TestOutcome test={test} mode={health.mode} />
      {overall.state === "frozen" && <Frozen health={health} />}
      <OrdersNotice health={health} open={openOrders} />
      <FaultNotice overall={overall} link={health.link} now={now} />
      <SharedNameWarning health={health} />
      <DescriptionList rows={[{ name: texts.verified, value: <Verified at={health.verifiedAt} now={now} /> }]} />
      <HealthLayers
        id="layers"
        layers={health.link.layers}
        now={now}
        isOpen={overall.needsAttention || test !== undefined}
        told={overall.fault}
      />
      {(mayTest || mayTakeOver) && (
        <div class="actions">
          {mayTest && (
            <ActionForm
              action={connectionPath(connectionId, "test")}
              formToken={formToken}
              kind="primary"
              isSmall
              busyLabel={texts.test.running}
            >
              {texts.test.button}
            </ActionForm>
          )}
          {mayTakeOver && (
            <a class="button secondary small" href={connectionPath(connectionId, "take-over")}>
              {texts.takeOver.open}
            </a>
          )}
        </div>
      )}
    </section>
  );
}

const MAX_REASON = 300;

function Frozen({ health }: { readonly health: ConnectionHealth }) {
  const reason = plainText(health.frozenBecause ?? "", MAX_REASON);
  return (
    <div class="fault">
      {reason !== "" && (
        <p>
          <strong>{reason}</strong>
        </p>
      )}
      <p>{connectionHealthTexts.frozenNext}</p>
    </div>
  );
}
