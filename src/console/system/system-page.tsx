import type { Child } from "hono/jsx";

import { Badge } from "../../pages/components/badge.tsx";
import { ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { commonTexts } from "../../pages/texts/common.ts";
import { systemTexts as texts } from "../../pages/texts/system.ts";
import type { SystemFigures } from "../../storage/system-figures.ts";
import type { UserOverview } from "../../storage/users.ts";

/** What the gateway is set to, as far as its operator looks for it in a browser. Secrets are never among it. */
export interface SystemSettings {
  readonly version: string;
  readonly startedAt: number;
  readonly dialect: "sqlite" | "postgres";
  readonly allowedDomains: readonly string[];
  readonly providers: readonly string[];
  readonly demo: boolean;
  readonly simulator: boolean;
  readonly clientDocumentHosts: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly unusedDays: number;
}

export interface SystemPageProps {
  readonly settings: SystemSettings;
  readonly publicUrl: string;
  /** How long the database took to answer, in ms. */
  readonly databaseMs: number;
  readonly audit: { readonly queued: number; readonly lost: number };
  readonly figures: SystemFigures;
  /** Live links to brokers by the state of their session. */
  readonly links: Readonly<Record<string, number>>;
  readonly users: readonly UserOverview[];
  readonly people: number;
  /** The one who looks. */
  readonly userId: string;
  /** Where the list of users goes on. */
  readonly next: string | undefined;
  readonly now: number;
}

/** Health, settings and users of the gateway. */
export function SystemPage(props: SystemPageProps) {
  return (
    <>
      <Card heading={texts.health}>
        <Health {...props} />
      </Card>
      <Card heading={texts.settings}>
        <Settings settings={props.settings} />
        <p>
          <a href="/help/self-hosting">{texts.help}</a>
        </p>
      </Card>
      <Card heading={texts.users}>
        <p>{texts.count(props.people)}</p>
        <DataTable
          caption={texts.caption}
          hidesCaption
          columns={[
            { title: texts.columns.name },
            { title: texts.columns.role },
            { title: texts.columns.created },
            { title: texts.columns.signedIn },
            { title: texts.columns.connections, numeric: true },
          ]}
          rows={props.users.map((user) => userCells(user, props))}
        />
        <ButtonRow>
          <LinkButton href="/account#invitations">{texts.invite}</LinkButton>
          {props.next !== undefined && <LinkButton href={props.next}>{texts.next}</LinkButton>}
        </ButtonRow>
      </Card>
    </>
  );
}

function Health({ settings, publicUrl, databaseMs, audit, figures, links, now }: SystemPageProps) {
  const { facts } = texts;
  const modes = (["simulated", "paper", "live"] as const).flatMap((mode) =>
    figures.connectionsByMode[mode] === undefined ? [] : [`${figures.connectionsByMode[mode]} ${commonTexts.mode[mode].toLowerCase()}`],
  );
  const sessions = Object.entries(links).flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state.replaceAll("_", " ")}`]));
  return (
    <DescriptionList
      rows={[
        { name: facts.version, value: settings.version },
        { name: facts.since, value: <RelativeTime at={settings.startedAt} now={now} /> },
        { name: facts.publicUrl, value: publicUrl },
        {
          name: facts.database,
          value: (
            <>
              <Badge tone="good">{texts.works}</Badge> {settings.dialect === "sqlite" ? "SQLite" : "PostgreSQL"},{" "}
              {texts.latency(databaseMs.toFixed(1))}
            </>
          ),
        },
        { name: facts.migrations, value: figures.migrations.at(-1) ?? texts.none },
        { name: facts.auditQueue, value: String(audit.queued) },
        { name: facts.auditLost, value: <LostRows lost={audit.lost} /> },
        { name: facts.browserSessions, value: String(figures.browserSessions) },
        { name: facts.connections, value: modes.length === 0 ? texts.none : modes.join(", ") },
        { name: facts.brokerSessions, value: sessions.length === 0 ? texts.none : sessions.join(", ") },
        { name: facts.keys, value: String(figures.keysInForce) },
        { name: facts.apps, value: String(figures.appsInForce) },
      ]}
    />
  );
}

function LostRows({ lost }: { readonly lost: number }) {
  if (lost === 0) return <>0</>;
  return (
    <>
      <Badge tone="bad">{lost}</Badge> <span class="hint">{texts.lostNote}</span>
    </>
  );
}

function Settings({ settings }: { readonly settings: SystemSettings }) {
  const { facts } = texts;
  const { allowedDomains: domains } = settings;
  const listed = (values: readonly string[], none: string): string => (values.length === 0 ? none : values.join(", "));
  const onOff = (isOn: boolean): string => (isOn ? texts.on : texts.off);
  return (
    <DescriptionList
      rows={[
        { name: facts.providers, value: listed(settings.providers, texts.none) },
        { name: facts.domains, value: domains.includes("*") ? texts.everybody : listed(domains, texts.invitationOnly) },
        { name: facts.documentHosts, value: listed(settings.clientDocumentHosts, texts.anyHost) },
        { name: facts.proxies, value: listed(settings.trustedProxies, texts.none) },
        { name: facts.unusedDays, value: texts.days(settings.unusedDays) },
        { name: facts.demo, value: onOff(settings.demo) },
        { name: facts.simulator, value: onOff(settings.simulator) },
      ]}
    />
  );
}

function userCells(user: UserOverview, { userId, now }: SystemPageProps): readonly Child[] {
  const roles = [
    ...(user.is_operator === 1 ? [texts.operator] : []),
    ...(user.is_demo === 1 ? [texts.demoUser] : []),
    ...(user.id === userId ? [texts.you] : []),
  ];
  return [
    <PlainName value={user.display_name} />,
    roles.join(", "),
    <RelativeTime at={user.created_at} now={now} />,
    user.last_signed_in_at === null ? texts.never : <RelativeTime at={user.last_signed_in_at} now={now} />,
    user.connections,
  ];
}
