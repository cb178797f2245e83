import type { PropsWithChildren } from "hono/jsx";

import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { RevealOnce } from "../../pages/components/reveal-once.tsx";
import { accountTexts } from "../../pages/texts/account.ts";
import type { SignInLinkRow } from "../../storage/sign-in-links.ts";
import { browserName } from "./browser-name.ts";
import type { ListedSession, SignedIn } from "./browser-session.ts";
import { MethodsCard, type SignInMethods } from "./methods-view.tsx";
import { MAX_PASSWORD_LENGTH } from "./password-rules.ts";

export interface AccountViewProps {
  readonly user: SignedIn;
  readonly now: number;
  readonly sessions: readonly ListedSession[];
  readonly methods: SignInMethods;
  /** Undefined for people who may not invite. */
  readonly invitations: readonly SignInLinkRow[] | undefined;
  /** A link that was made just now. */
  readonly newInvitation?: string | undefined;
  readonly done?: string | undefined;
  readonly errors: Partial<Record<"current" | "next" | "invitation" | "method", string>>;
}

/** The page on which people look after their account. */
export function AccountView(props: AccountViewProps) {
  const { user, methods, done, errors } = props;
  return (
    <>
      {done !== undefined && (
        <Notice tone="success">
          <p>{done}</p>
        </Notice>
      )}
      {errors.method !== undefined && (
        <Notice tone="error">
          <p>{errors.method}</p>
        </Notice>
      )}
      <DescriptionList
        rows={[
          { name: accountTexts.who.name, value: <PlainName value={user.displayName} /> },
          ...(methods.loginName === undefined
            ? []
            : [{ name: accountTexts.who.loginName, value: <PlainName value={methods.loginName} /> }]),
          ...(user.isOperator ? [{ name: accountTexts.who.operator, value: <OperatorLink /> }] : []),
        ]}
      />
      <SessionsCard {...props} />
      <MethodsCard user={user} now={props.now} methods={methods} />
      {methods.loginName !== undefined && <PasswordCard {...props} />}
      {props.invitations !== undefined && <InvitationsCard {...props} invitations={props.invitations} />}
      <Card heading={accountTexts.data.heading} id="data">
        <p>{accountTexts.data.exportLead}</p>
        <ButtonRow>
          <LinkButton href="/account/export">{accountTexts.data.export}</LinkButton>
          <LinkButton href="/account/delete">{accountTexts.data.delete}</LinkButton>
        </ButtonRow>
      </Card>
    </>
  );
}

function OperatorLink() {
  return (
    <>
      {accountTexts.who.yes}: <a href="/console/system">{accountTexts.who.system}</a>
    </>
  );
}

function SessionsCard({ user, sessions, now }: AccountViewProps) {
  const texts = accountTexts.sessions;
  const { columns } = texts;
  return (
    <Card heading={texts.heading} id="sessions">
      <DataTable
        caption={texts.caption}
        columns={[columns.where, columns.address, columns.how, columns.since, columns.seen, columns.action].map((title) => ({ title }))}
        rows={sessions.map((session) => [
          <>
            <PlainName value={session.userAgent === undefined ? texts.unknown : browserName(session.userAgent)} />
            {session.id === user.sessionId && <strong> ({texts.current})</strong>}
          </>,
          session.address ?? texts.unknown,
          texts.methods[session.method] ?? session.method,
          <RelativeTime at={session.signedInAt} now={now} />,
          <RelativeTime at={session.lastSeenAt} now={now} />,
          <SmallForm action="/account/sessions/end" user={user} fields={{ session: session.id }}>
            {texts.end}
            <span class="visually-hidden">
              : <PlainName value={session.userAgent === undefined ? texts.unknown : browserName(session.userAgent)} />
            </span>
          </SmallForm>,
        ])}
      />
      <SmallForm action="/account/sessions/end" user={user} fields={{ others: "1" }}>
        {texts.endOthers}
      </SmallForm>
    </Card>
  );
}

function PasswordCard({ user, errors, methods }: AccountViewProps) {
  const texts = accountTexts.password;
  return (
    <Card heading={texts.heading} id="password">
      <form method="post" action="/account/password">
        <FormToken token={user.formToken} />
        {/* Tells password managers whose password this is. */}
        <input type="hidden" name="login_name" autocomplete="username" value={methods.loginName} />
        <Field
          name="current"
          label={texts.current}
          type="password"
          required
          autocomplete="current-password"
          maxLength={MAX_PASSWORD_LENGTH}
          error={errors.current}
        />
        <Field
          name="next"
          label={texts.next}
          type="password"
          required
          autocomplete="new-password"
          maxLength={MAX_PASSWORD_LENGTH}
          error={errors.next}
        />
        <ButtonRow>
          <Button kind="secondary">{texts.submit}</Button>
        </ButtonRow>
      </form>
    </Card>
  );
}

function InvitationsCard({
  user,
  now,
  invitations,
  newInvitation,
  errors,
}: AccountViewProps & { readonly invitations: readonly SignInLinkRow[] }) {
  const texts = accountTexts.invitations;
  return (
    <Card heading={texts.heading} id="invitations">
      <p>{texts.lead}</p>
      {newInvitation !== undefined && <RevealOnce secret={newInvitation} label={texts.made} id="new-invitation" />}
      <form method="post" action="/account/invitations">
        <FormToken token={user.formToken} />
        <Field name="note" label={texts.note} maxLength={100} error={errors.invitation} />
        <ButtonRow>
          <Button kind="secondary">{texts.submit}</Button>
        </ButtonRow>
      </form>
      {invitations.length > 0 && (
        <ul aria-label={texts.open}>
          {invitations.map((invitation) => (
            <li>
              <PlainName value={invitation.note} fallback={texts.nobody} />, {texts.expires}{" "}
              <RelativeTime at={invitation.expires_at} now={now} />
              <SmallForm action="/account/invitations/remove" user={user} fields={{ invitation: invitation.id }}>
                {texts.takeBack}
              </SmallForm>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

export interface SmallFormProps {
  readonly action: string;
  readonly user: SignedIn;
  readonly fields: Readonly<Record<string, string>>;
}

/** One button that does one thing to one row. */
export function SmallForm({ action, user, fields, children }: PropsWithChildren<SmallFormProps>) {
  return (
    <form method="post" action={action}>
      <FormToken token={user.formToken} />
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button type="submit" class="button quiet small">
        {children}
      </button>
    </form>
  );
}
