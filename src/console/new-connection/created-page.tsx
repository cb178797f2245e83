import type { Secret } from "../../lib/secret.ts";
import { Card } from "../../pages/components/card.tsx";
import { Copyable } from "../../pages/components/copyable.tsx";
import { LinkButton, ButtonRow } from "../../pages/components/button.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RevealOnce } from "../../pages/components/reveal-once.tsx";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";

/** What is shown of a new connection. */
export interface CreatedPageProps {
  readonly label: string;
  /** Undefined when it was shown before. */
  readonly apiKey: Secret | undefined;
  readonly publicUrl: string;
  readonly back: string;
}

/** A new connection's key, this once, with the command to try it; then on to where the person came from. */
export function CreatedPage({ label, apiKey: key, publicUrl, back }: CreatedPageProps) {
  return (
    <>
      {key === undefined ? (
        <Notice tone="info" title={texts.keyGone.title}>
          <p>{texts.keyGone.message}</p>
          <p>{texts.keyGone.whatToDo}</p>
        </Notice>
      ) : (
        <>
          <Notice tone="success">
            <p>
              <strong>
                <PlainName value={label} />
              </strong>{" "}
              {texts.created}
            </p>
          </Notice>
          <Card heading={texts.keyTitle}>
            <p>{texts.keyLead}</p>
            <RevealOnce id="api-key" label={texts.keyLabel} secret={key.reveal()} />
            <p>{texts.tryLead}</p>
            <Copyable id="command" label={texts.command} text={tryCommand(publicUrl, key)} block />
          </Card>
        </>
      )}
      <ButtonRow>
        <LinkButton kind="primary" href={back}>
          {texts.goOn}
        </LinkButton>
      </ButtonRow>
    </>
  );
}

/** The command that lists the tools with a key. */
export function tryCommand(publicUrl: string, key: Secret): string {
  return `curl -sS ${publicUrl}/mcp -H "Authorization: Bearer ${key.reveal()}" -H "Content-Type: application/json" \\\n  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`;
}
