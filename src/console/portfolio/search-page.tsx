import type { Child } from "hono/jsx";

import type { SecurityMatch } from "../../broker/instrument.ts";
import { DataTable } from "../../pages/components/data-table.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { PartFaults } from "./part-faults.tsx";
import { securityPath } from "./portfolio-address.ts";
import type { Part } from "./readings.ts";
import { SearchForm } from "./search-form.tsx";

const texts = portfolioTexts.search;

export interface SearchPageProps {
  readonly connectionId: string;
  readonly query: string;
  readonly found: Part<readonly SecurityMatch[]> | undefined;
}

/** What a search found. */
export function SearchPage({ connectionId, query, found }: SearchPageProps) {
  return (
    <div class="stack">
      <SearchForm connectionId={connectionId} query={query} />
      {found !== undefined && (
        <>
          <PartFaults parts={{ search: found }} connectionId={connectionId} />
          {found.value !== undefined && <Matches connectionId={connectionId} query={query} matches={found.value} />}
        </>
      )}
    </div>
  );
}

function Matches({
  connectionId,
  query,
  matches,
}: {
  readonly connectionId: string;
  readonly query: string;
  readonly matches: readonly SecurityMatch[];
}) {
  if (matches.length === 0) {
    return (
      <EmptyState title={texts.none.title}>
        <p>{texts.none.message(query)}</p>
      </EmptyState>
    );
  }
  const { columns } = texts;
  return (
    <section class="card">
      <DataTable
        caption={texts.results(query)}
        columns={[{ title: columns.symbol }, { title: columns.name }, { title: columns.exchange }, { title: columns.kinds }]}
        rows={matches.map((match): readonly Child[] => [
          <a href={securityPath(connectionId, match.conid)}>
            <PlainName value={match.symbol} />
          </a>,
          <PlainName value={match.name ?? ""} />,
          <PlainName value={match.exchange ?? ""} />,
          match.secTypes.map((kind) => portfolioTexts.security.kinds[kind]).join(", "),
        ])}
      />
    </section>
  );
}
