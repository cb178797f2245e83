import type { Account } from "../../broker/account.ts";
import type { ConnectionHealth } from "../../connections/connections.ts";
import { plainText } from "../../lib/plain-text.ts";
import { Badge, ModeBadge } from "../../pages/components/badge.tsx";
import { Copyable } from "../../pages/components/copyable.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { orderTexts } from "../../pages/texts/orders.ts";
import type { OpenOrders } from "../../storage/order-requests.ts";
import { ActionForm } from "./connection-form.tsx";
import { connectionPath } from "./connection-paths.ts";
import type { ConnectionTest } from "./connection-tests.ts";
import { FaultNotice, HealthLayers, TestOutcome } from "./health-view.tsx";
import { OrdersNotice } from "./orders-notice.tsx";
import { overallHealth } from "./overall-health.ts";

/** Longest name that stands in a sentence. */
const MAX_NAME = 60;

export interface ConnectionCardProps {
  readonly health: ConnectionHealth;
  readonly test: ConnectionTest | undefined;
  readonly now: number;
  readonly formToken: string;
  readonly mcpUrl: string;
  readonly servesDemo: boolean;
  readonly openOrders: OpenOrders;
}

/** Id of a connection's card in the list, by which live pages find it. */
export function cardId(connectionId: string): string {
  return `card-${connectionId}`;
}

/** A connection at a glance: what it is, how it is, what to do about it. */
export function ConnectionCard({ health, test, now, formToken, mcpUrl, servesDemo, openOrders }: ConnectionCardProps) {
  const { connectionId } = health;
  const overall = overallHealth(health, servesDemo);
  const id = cardId(connectionId);
  const name = plainText(health.label, MAX_NAME);
  const isIdle = overall.state !== "paused" && overall.state !== "not_served";
  return (
    <article class={`card connection ${overall.tone}`} id={id} aria-labelledby={`${id}-name`}>
      <header class="connection-head">
        <h2 id={`${id}-name`}>
          <a href={connectionPath(connectionId)} id={`${id}-link`}>
            <PlainName value={health.label} />
          </a>
        </h2>
        <ConnectionBadges health={health} />
        <span class="connection-word">
          <Badge tone={overall.tone}>{overall.word}</Badge>
        </span>
      </header>
      <p class="connection-state">{overall.sentence}</p>
      <TestOutcome test={test} mode={health.mode} />
      <OrdersNotice health={health} open={openOrders} />
      <FaultNotice overall={overall} link={health.link} now={now} />
      <SharedNameWarning health={health} />
      <ConnectionFacts health={health} now={now} />
      <div class="labelled">
        <p class="label">{texts.mcpUrl}</p>
        <Copyable id={`${id}-url`} label={`${texts.mcpUrl}, ${name}`} text={mcpUrl} />
      </div>
      <HealthLayers
        id={`${id}-layers`}
        layers={health.link.layers}
        now={now}
        isOpen={overall.needsAttention || (test !== undefined && test.finishedAt === undefined)}
        told={overall.fault}
        isShort
      />
      <footer class="actions">
        {isIdle && (
          <ActionForm
            action={connectionPath(connectionId, "test")}
            formToken={formToken}
            isSmall
            busyLabel={texts.test.running}
            about={name}
            fields={{ from: "list" }}
          >
            {texts.test.button}
          </ActionForm>
        )}
        <a class="button secondary small" href={connectionPath(connectionId, "portfolio")}>
          {texts.portfolio}
          <span class="visually-hidden"> {name}</span>
        </a>
        {overall.state === "competing" && (
          <a class="button secondary small" href={connectionPath(connectionId, "take-over")}>
            {texts.takeOver.open}
            <span class="visually-hidden"> {name}</span>
          </a>
        )}
        <PauseForm health={health} formToken={formToken} from="list" isSmall />
        <a class="button secondary small" href={connectionPath(connectionId)}>
          {texts.manage}
          <span class="visually-hidden"> {name}</span>
        </a>
      </footer>
    </article>
  );
}

/** What money it is about, and whether real money may be spent. */
export function ConnectionBadges({ health }: { readonly health: ConnectionHealth }) {
  const isOn = health.liveTradingEnabledAt !== undefined;
  return (
    <>
      <ModeBadge mode={health.mode} />
      {health.mode === "live" && (
        <Badge tone={isOn ? "warn" : "neutral"}>{isOn ? texts.liveTrading.badgeOn : texts.liveTrading.badgeOff}</Badge>
      )}
      {health.ordersStopped !== undefined && <Badge tone="bad">{orderTexts.stopped.badge}</Badge>}
    </>
  );
}

/** The button that pauses it, or lets it go on. */
export function PauseForm({
  health,
  formToken,
  from,
  isSmall = false,
}: {
  readonly health: ConnectionHealth;
  readonly formToken: string;
  readonly from: "list" | "page";
  readonly isSmall?: boolean;
}) {
  const isPaused = health.pausedAt !== undefined;
  return (
    <ActionForm
      action={connectionPath(health.connectionId, isPaused ? "resume" : "pause")}
      formToken={formToken}
      isSmall={isSmall}
      fields={{ from }}
      about={from === "list" ? plainText(health.label, MAX_NAME) : undefined}
    >
      {isPaused ? texts.pause.resume : texts.pause.button}
    </ActionForm>
  );
}

/** Warns where one IBKR user name stands behind several connections. */
export function SharedNameWarning({ health }: { readonly health: ConnectionHealth }) {
  if (health.sharesUserNameWith.length === 0 && !health.sharedWithOthers) return <></>;
  return (
    <Notice tone="warning" title={texts.sharedNameTitle}>
      <p>{texts.sharedName(health.sharesUserNameWith.map((label) => plainText(label, MAX_NAME)))}</p>
    </Notice>
  );
}

function ConnectionFacts({ health, now }: { readonly health: ConnectionHealth; readonly now: number }) {
  return (
    <DescriptionList
      rows={[
        { name: texts.accounts, value: <AccountList accounts={health.accounts} /> },
        { name: texts.verified, value: <Verified at={health.verifiedAt} now={now} /> },
      ]}
    />
  );
}

/** When its session was seen open last. */
export function Verified({ at, now }: { readonly at: number | undefined; readonly now: number }) {
  return at === undefined ? <span class="unknown">{texts.never}</span> : <RelativeTime at={at} now={now} />;
}

/** Most accounts that are listed in a card; an advisor may have dozens. */
const MAX_ACCOUNTS = 6;

/** The accounts that it reaches, as they were listed last. */
export function AccountList({
  accounts,
  isWhole = false,
}: {
  readonly accounts: readonly Account[] | undefined;
  readonly isWhole?: boolean;
}) {
  if (accounts === undefined) return <span class="unknown">{texts.accountsUnknown}</span>;
  if (accounts.length === 0) return <span class="unknown">{texts.noAccounts}</span>;
  const shown = isWhole ? accounts : accounts.slice(0, MAX_ACCOUNTS);
  return (
    <ul class="inline-list">
      {shown.map(({ accountId, title, baseCurrency }) => (
        <li>
          <PlainName value={accountId} />
          {isWhole && (
            <span class="hint">
              {" "}
              <PlainName value={[title, baseCurrency].filter((part) => part !== undefined && part !== accountId).join(" · ")} fallback="" />
            </span>
          )}
        </li>
      ))}
      {accounts.length > shown.length && <li class="hint">{texts.moreAccounts(accounts.length - shown.length)}</li>}
    </ul>
  );
}
