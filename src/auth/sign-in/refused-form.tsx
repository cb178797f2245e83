import { signInTexts } from "../../pages/texts/sign-in.ts";
import { jsonAnswer, type SignInParts, withCookies } from "./sign-in-parts.ts";
import type { FormRefusal, Visit } from "./visit.ts";

/** Says why a form was not looked at, on a page that a person can act on; never a redirect that could go round in circles. */
export function refusedForm({ pages, log }: SignInParts, reason: FormRefusal, visit: Visit): Response {
  log.warn({ event: "form_refused", reason, address: visit.address }, "a form was refused");
  const user = visit.signedIn;
  switch (reason) {
    case "foreign_origin":
      return pages.error("forbidden", { user, requestId: visit.requestId });
    case "not_a_form":
      return pages.error("bad_request", { user, requestId: visit.requestId });
    case "no_cookie": {
      const { title, message, whatToDo } = signInTexts.cookiesOff;
      return withCookies(pages.page({ title }, <Explanation message={message} whatToDo={whatToDo} />, { status: 400 }), visit.setCookies);
    }
    case "old_form": {
      const { title, message, whatToDo } = signInTexts.oldForm;
      return pages.page({ title, user }, <Explanation message={message} whatToDo={whatToDo} />, { status: 403 });
    }
  }
}

/** The same for a script. */
export function refusedJson({ log }: SignInParts, reason: FormRefusal, visit: Visit): Response {
  log.warn({ event: "form_refused", reason, address: visit.address }, "a script's request was refused");
  const { cookiesOff, oldForm } = signInTexts;
  const error = reason === "no_cookie" ? `${cookiesOff.title}. ${cookiesOff.whatToDo}` : `${oldForm.title}. ${oldForm.whatToDo}`;
  return jsonAnswer({ error }, 403);
}

/** What happened, and what to do. */
export function Explanation({ message, whatToDo }: { readonly message: string; readonly whatToDo: string }) {
  return (
    <>
      <p class="lead">{message}</p>
      <p>{whatToDo}</p>
    </>
  );
}
