import { accountTexts } from "./texts/account.ts";
import { appTexts } from "./texts/apps.ts";
import { authorizationTexts } from "./texts/authorization.ts";
import { callerTexts } from "./texts/callers.ts";
import { commonTexts } from "./texts/common.ts";
import { connectionTexts } from "./texts/connections.ts";
import { consoleTexts } from "./texts/console.ts";
import { consentTexts } from "./texts/consent.ts";
import { errorTexts } from "./texts/errors.ts";
import { keyTexts } from "./texts/keys.ts";
import { signInTexts } from "./texts/sign-in.ts";

/** Every text that people see on pages, by page. A translation is another value of the same type. */
export const texts = {
  account: accountTexts,
  apps: appTexts,
  authorization: authorizationTexts,
  callers: callerTexts,
  common: commonTexts,
  connections: connectionTexts,
  consent: consentTexts,
  console: consoleTexts,
  errors: errorTexts,
  keys: keyTexts,
  signIn: signInTexts,
};
