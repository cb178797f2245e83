import { Notice } from "../../pages/components/notice.tsx";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { connectionPath } from "../connections/connection-paths.ts";
import type { Part, PartFault } from "./readings.ts";

/** Parts of a page by what people call them. */
export type NamedParts = Partial<Readonly<Record<keyof typeof portfolioTexts.partNames, Part<unknown>>>>;

/** Id of the place for what is wrong. */
export const FAULTS_ID = "faults";

const texts = portfolioTexts.faults;

/** What could not be read, and what to do: each fault once, with the parts that it concerns. */
export function PartFaults({ parts, connectionId }: { readonly parts: NamedParts; readonly connectionId: string }) {
  const failed = faultsOf(parts);
  const { names, list } = groupedFaults(failed);
  const isPending = Object.values(parts).some((part) => part.isPending && part.value === undefined);
  const hasNothing = Object.values(parts).every((part) => part.value === undefined);
  return (
    <div id={FAULTS_ID} class="part-faults">
      {isPending && list.length === 0 && hasNothing && (
        <div class="progress">
          <span class="progress-sign" aria-hidden="true" />
          <div>
            <p>
              <strong>{portfolioTexts.opening.title}</strong>
            </p>
            <p class="hint">{portfolioTexts.opening.message}</p>
          </div>
        </div>
      )}
      {list.length > 0 && (
        <Notice tone="warning" title={failed.every(({ part }) => part.value !== undefined) ? texts.titleOld : texts.title} isQuiet>
          {list.map((fault) => (
            <div>
              <p>
                <strong>{texts.parts(names.get(fault.message) ?? [])}</strong> {fault.message}
              </p>
              <p>
                {fault.whatToDo} {fault.link !== undefined && isSafeLink(fault.link) && <a href={fault.link}>{texts.help}</a>}
              </p>
            </div>
          ))}
          <p>
            <a href={connectionPath(connectionId)} id="fault-connection">
              {portfolioTexts.toConnection}
            </a>
          </p>
        </Notice>
      )}
    </div>
  );
}

interface FailedPart {
  readonly name: string;
  readonly part: Part<unknown>;
  readonly fault: PartFault;
}

function faultsOf(parts: NamedParts): readonly FailedPart[] {
  const names: Readonly<Record<string, string>> = portfolioTexts.partNames;
  return Object.entries(parts).flatMap(([key, part]) =>
    part.fault === undefined ? [] : [{ name: names[key] ?? key, part, fault: part.fault }],
  );
}

function groupedFaults(failed: readonly FailedPart[]) {
  const list: PartFault[] = [];
  const names = new Map<string, string[]>();
  for (const { name, fault } of failed) {
    const known = names.get(fault.message);
    if (known === undefined) {
      names.set(fault.message, [name]);
      list.push(fault);
    } else known.push(name);
  }
  return { names, list };
}

/** A page of ours, or one by https. */
function isSafeLink(link: string): boolean {
  return (link.startsWith("/") && !link.startsWith("//")) || link.startsWith("https://");
}
