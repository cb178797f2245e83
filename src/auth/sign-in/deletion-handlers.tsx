import type { Context } from "hono";

import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { withReturnPath } from "../../pages/return-path.ts";
import { accountTexts } from "../../pages/texts/account.ts";
import { deleteUser } from "../../storage/users.ts";
import { accountExport } from "./account-export.ts";
import type { SignedIn } from "./browser-session.ts";
import { refusedForm } from "./refused-form.tsx";
import { busy, failureShown } from "./sign-in-handlers.tsx";
import { goTo, ACCOUNT_PATH, isFresh, type SignInParts } from "./sign-in-parts.ts";
import type { PageEnv } from "../../pages/page-env.ts";

const DELETE_PATH = "/account/delete";
/** What is typed, so that no slip of the hand deletes an account. */
const CONFIRMATION = "DELETE";

/** Makes the handlers of taking one's data along, and of deleting an account with all that belongs to it. */
export function createDeletionHandlers(parts: SignInParts) {
  const { visits, accounts, storage, clock, log, cookies } = parts;
  return {
    exportAccount: async (c: Context<PageEnv>) => {
      const visit = await visits.read(c);
      if (visit.signedIn === undefined) return goTo(withReturnPath("/sign-in", ACCOUNT_PATH), visit.setCookies);
      const { userId } = visit.signedIn;
      log.info({ event: "account_exported", user_id: userId }, "an account was exported");
      return new Response(accountExport(storage, userId, clock.now()), {
        headers: {
          "Content-Type": "application/json; charset=utf-8",
          "Content-Disposition": 'attachment; filename="ibkr-gateway-account.json"',
        },
      });
    },
    showDeletion: async (c: Context<PageEnv>) => {
      const visit = await visits.read(c);
      if (visit.signedIn === undefined) return goTo(withReturnPath("/sign-in", DELETE_PATH), visit.setCookies);
      const asksPassword = (await accounts.loginNameOf(visit.signedIn.userId)) !== undefined;
      if (!asksPassword && !isFresh(parts, visit)) return goTo(withReturnPath("/sign-in?again=1", DELETE_PATH));
      return deletionPage(parts, visit.signedIn, { asksPassword, errors: {} });
    },
    deleteAccount: async (c: Context<PageEnv>) => {
      const reading = await visits.readForm(c);
      const { visit, field } = reading.form;
      const user = visit.signedIn;
      if (user === undefined) return goTo(withReturnPath("/sign-in", DELETE_PATH), visit.setCookies);
      if (reading.kind === "refused") return refusedForm(parts, reading.reason, visit);
      const asksPassword = (await accounts.loginNameOf(user.userId)) !== undefined;
      const refuse = (errors: DeletionErrors, status = 422) => deletionPage(parts, user, { asksPassword, errors, status });
      if (field("confirm").trim() !== CONFIRMATION) return refuse({ confirm: accountTexts.deletion.confirmWrong });
      if (asksPassword) {
        const checked = await accounts.checkOwn(user.userId, field("password"), visit.address).catch(busy);
        if (checked.kind === "wrong") return refuse({ password: accountTexts.password.wrong });
        if (checked.kind !== "right") return refuse({ password: failureShown(checked).error }, failureShown(checked).status);
      } else if (!isFresh(parts, visit)) {
        return goTo(withReturnPath("/sign-in?again=1", DELETE_PATH));
      }
      await deleteUser(storage, user.userId);
      await parts.connections.forgetUser(user.userId);
      log.info({ event: "account_deleted", user_id: user.userId }, "an account was deleted with all that belonged to it");
      return goTo("/sign-in?done=deleted", [cookies.clearSession()]);
    },
  };
}

type DeletionErrors = Partial<Record<"password" | "confirm", string>>;

function deletionPage(
  parts: SignInParts,
  user: SignedIn,
  shown: { asksPassword: boolean; errors: DeletionErrors; status?: number },
): Response {
  const texts = accountTexts.deletion;
  const view = (
    <>
      <p class="lead">{texts.lead}</p>
      <Notice tone="warning">
        <p>{texts.brokerStays}</p>
      </Notice>
      <form method="post" action={DELETE_PATH}>
        <FormToken token={user.formToken} />
        {shown.asksPassword && (
          <Field
            name="password"
            label={texts.password}
            type="password"
            required
            autocomplete="current-password"
            maxLength={200}
            error={shown.errors.password}
          />
        )}
        <Field name="confirm" label={texts.confirm} required maxLength={20} error={shown.errors.confirm} />
        <ButtonRow>
          <Button kind="danger">{texts.submit}</Button>
          <LinkButton href={ACCOUNT_PATH}>{texts.cancel}</LinkButton>
        </ButtonRow>
      </form>
    </>
  );
  return parts.pages.page({ title: texts.title, user }, view, { status: shown.status ?? 200 });
}
