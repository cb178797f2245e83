import type { ApiKey } from "../../auth/api-keys.ts";
import type { Secret } from "../../lib/secret.ts";
import { ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { Copyable } from "../../pages/components/copyable.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { RevealOnce } from "../../pages/components/reveal-once.tsx";
import { callerTexts } from "../../pages/texts/callers.ts";
import { keyTexts } from "../../pages/texts/keys.ts";
import { curlCommand } from "../curl-command.ts";
import { ConnectionName, type NamedConnection } from "../own-connections.tsx";

const texts = keyTexts.created;

export interface CreatedKeyPageProps {
  readonly apiKey: ApiKey;
  readonly connection: NamedConnection | undefined;
  /** Undefined when it was shown before. */
  readonly secret: Secret | undefined;
  readonly publicUrl: string;
  readonly now: number;
}

/** A new key, this once, with the command to try it. */
export function CreatedKeyPage({ apiKey, connection, secret, publicUrl, now }: CreatedKeyPageProps) {
  return (
    <>
      {secret === undefined ? (
        <Notice tone="info" title={texts.gone.title}>
          <p>{texts.gone.message}</p>
          <p>{texts.gone.whatToDo}</p>
        </Notice>
      ) : (
        <>
          <RevealOnce id="api-key" label={texts.keyLabel} secret={secret.reveal()}>
            <p>{texts.lead}</p>
          </RevealOnce>
          <Card heading={texts.tryTitle}>
            <p>{texts.tryLead}</p>
            <Copyable id="command" label={texts.command} text={curlCommand(publicUrl, secret)} block />
          </Card>
        </>
      )}
      <Card>
        <KeyFacts apiKey={apiKey} connection={connection} now={now} />
      </Card>
      <ButtonRow>
        <LinkButton kind="primary" href="/console/keys">
          {secret === undefined ? texts.back : texts.done}
        </LinkButton>
      </ButtonRow>
    </>
  );
}

/** What a key is for. */
export function KeyFacts({ apiKey, connection, now }: Pick<CreatedKeyPageProps, "apiKey" | "connection" | "now">) {
  const names = texts.facts;
  return (
    <DescriptionList
      rows={[
        {
          name: names.label,
          value: (
            <>
              <PlainName value={apiKey.label} /> <code>{apiKey.prefix}…</code>
            </>
          ),
        },
        { name: names.connection, value: <ConnectionName connection={connection} gone={callerTexts.gone} /> },
        { name: names.scope, value: callerTexts.scopes[apiKey.scope] },
        { name: names.accounts, value: apiKey.allowedAccountIds?.join(", ") ?? callerTexts.allAccounts },
        ...(apiKey.toolsets.length === 0 ? [] : [{ name: names.toolsets, value: apiKey.toolsets.join(", ") }]),
        {
          name: names.expires,
          value: apiKey.expiresAt === undefined ? callerTexts.never : <RelativeTime at={apiKey.expiresAt} now={now} />,
        },
      ]}
    />
  );
}
