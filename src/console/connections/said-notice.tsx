import { Notice } from "../../pages/components/notice.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";

/** Says what the form before this page did, when it was one. */
export function SaidNotice({ c }: { readonly c: PageRequest }) {
  const said = c.req.query("said") ?? "";
  const known = Object.hasOwn(texts.said, said) ? texts.said[said] : undefined;
  if (known === undefined) return <></>;
  return (
    <Notice tone={known.tone}>
      <p>{known.text}</p>
    </Notice>
  );
}
