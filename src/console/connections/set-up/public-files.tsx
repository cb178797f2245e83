import type { ConnectionDraft } from "../../../auth/connection-drafts.ts";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { setUpPath } from "../connection-paths.ts";

/** The files that the person takes to IBKR, each to download. */
export function PublicFiles({ draft }: { readonly draft: ConnectionDraft }) {
  const files = draft.offer.publicFiles(draft.values);
  if (files.length === 0) return <></>;
  return (
    <section aria-labelledby="files">
      <h3 id="files">{texts.files}</h3>
      <ul class="rows files">
        {files.map(({ name, description }) => (
          <li>
            <div>
              <code>{name}</code>
              <p class="hint">{description}</p>
            </div>
            <a class="button secondary small" href={setUpPath(draft.draftId, "files", name)} download={name}>
              {texts.download}
              <span class="visually-hidden"> {name}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
