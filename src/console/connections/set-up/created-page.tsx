import type { ConnectionHealth } from "../../../connections/connections.ts";
import { plainText } from "../../../lib/plain-text.ts";
import type { Secret } from "../../../lib/secret.ts";
import { ButtonRow, LinkButton } from "../../../pages/components/button.tsx";
import { Card } from "../../../pages/components/card.tsx";
import { Copyable } from "../../../pages/components/copyable.tsx";
import { Notice } from "../../../pages/components/notice.tsx";
import { RevealOnce } from "../../../pages/components/reveal-once.tsx";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { NO_OPEN_ORDERS } from "../../../storage/order-requests.ts";
import { curlCommand } from "../../curl-command.ts";
import { StatePart } from "../connection-page.tsx";
import { MAX_LABEL_LENGTH } from "../connection-label.ts";
import { connectionPath } from "../connection-paths.ts";
import type { ConnectionTest } from "../connection-tests.ts";
import { KeyWait } from "./key-wait.tsx";

export interface CreatedPageProps {
  readonly health: ConnectionHealth;
  readonly test: ConnectionTest | undefined;
  readonly now: number;
  readonly formToken: string;
  readonly servesDemo: boolean;
  /** Undefined when it was shown before. */
  readonly apiKey: Secret | undefined;
  readonly publicUrl: string;
  /** Where the person came from. */
  readonly back: string | undefined;
  /** By when the broker takes its keys into use; undefined when it has. */
  readonly activeFrom: number | undefined;
  /** Names of the person's other connections with the same login. */
  readonly duplicateOf: readonly string[];
}

/** A new connection: whether it works, and its key, this once, with the command to try it; then on to where the person came from. */
export function CreatedPage(props: CreatedPageProps) {
  const { health, apiKey: key } = props;
  return (
    <div class="stack" data-live={connectionPath(health.connectionId, "events")}>
      {key === undefined ? (
        <Notice tone="info" title={texts.keyGone.title}>
          <p>{texts.keyGone.message}</p>
          <p>{texts.keyGone.whatToDo}</p>
        </Notice>
      ) : (
        <Card heading={texts.keyTitle}>
          <p>{texts.keyLead}</p>
          <RevealOnce id="api-key" label={texts.keyLabel} secret={key.reveal()} />
          <p>{texts.tryLead}</p>
          <Copyable id="command" label={texts.command} text={curlCommand(props.publicUrl, key)} block />
        </Card>
      )}
      <StatePart
        health={health}
        test={props.test}
        now={props.now}
        formToken={props.formToken}
        servesDemo={props.servesDemo}
        openOrders={NO_OPEN_ORDERS}
      />
      {props.duplicateOf.length > 0 && (
        <Notice tone="warning">
          <p>{texts.duplicate(props.duplicateOf.map((label) => plainText(label, MAX_LABEL_LENGTH)))}</p>
        </Notice>
      )}
      {props.activeFrom !== undefined && <KeyWait at={props.activeFrom} now={props.now} />}
      <ButtonRow>
        {props.back !== undefined && (
          <LinkButton kind="primary" href={props.back}>
            {texts.goOn}
          </LinkButton>
        )}
        <LinkButton kind={props.back === undefined ? "primary" : "secondary"} href={connectionPath(health.connectionId)}>
          {texts.toConnection}
        </LinkButton>
      </ButtonRow>
    </div>
  );
}
