import { LinkButton } from "../../pages/components/button.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { ModeBadge } from "../../pages/components/badge.tsx";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { ConnectionCard, type ConnectionCardProps } from "./connection-card.tsx";
import { ActionForm } from "./connection-form.tsx";
import { CONNECTIONS_PATH, setUpPath } from "./connection-paths.ts";

/** A set-up that was begun and not finished. */
export interface ShownDraft {
  readonly draftId: string;
  readonly label: string;
  readonly title: string;
  readonly mode: "simulated" | "paper" | "live";
  readonly updatedAt: number;
}

export interface ConnectionsPageProps {
  readonly cards: readonly ConnectionCardProps[];
  readonly drafts: readonly ShownDraft[];
  readonly now: number;
  readonly formToken: string;
}

/** All connections of a person, and the set-ups that they have begun. */
export function ConnectionsPage({ cards, drafts, now, formToken }: ConnectionsPageProps) {
  return (
    <div class="stack" data-live={cards.length === 0 ? undefined : `${CONNECTIONS_PATH}/connections/events`}>
      {drafts.length > 0 && <Drafts drafts={drafts} now={now} formToken={formToken} />}
      {cards.length === 0 ? (
        <EmptyState title={texts.empty.title}>
          <p>{texts.empty.message}</p>
          <LinkButton kind="primary" href={setUpPath()}>
            {texts.add}
          </LinkButton>
        </EmptyState>
      ) : (
        <section class="connection-list" aria-label={texts.list}>
          {cards.map((card) => (
            <ConnectionCard {...card} />
          ))}
        </section>
      )}
      {cards.length > 0 && <p class="hint">{texts.mcpHint}</p>}
    </div>
  );
}

function Drafts({ drafts, now, formToken }: Pick<ConnectionsPageProps, "drafts" | "now" | "formToken">) {
  return (
    <section class="card" aria-labelledby="drafts">
      <h2 id="drafts">{texts.drafts.heading}</h2>
      <ul class="rows">
        {drafts.map(({ draftId, label, title, mode, updatedAt }) => (
          <li>
            <div>
              <p>
                <strong>
                  <PlainName value={label} fallback={texts.drafts.nameless} />
                </strong>{" "}
                <ModeBadge mode={mode} />
              </p>
              <p class="hint">
                {title}, {texts.drafts.changed} <RelativeTime at={updatedAt} now={now} />
              </p>
            </div>
            <div class="actions">
              <a class="button secondary small" href={setUpPath(draftId)}>
                {texts.drafts.goOn}
                <span class="visually-hidden">
                  {" "}
                  <PlainName value={label} fallback={texts.drafts.nameless} />
                </span>
              </a>
              <ActionForm
                action={`${setUpPath(draftId)}/discard`}
                formToken={formToken}
                kind="quiet"
                isSmall
                about={<PlainName value={label} fallback={texts.drafts.nameless} />}
              >
                {texts.drafts.discard}
              </ActionForm>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
