import { accountTexts } from "./texts/account.ts";
import { activityTexts } from "./texts/activity.ts";
import { appTexts } from "./texts/apps.ts";
import { authorizationTexts } from "./texts/authorization.ts";
import { callerTexts } from "./texts/callers.ts";
import { commonTexts } from "./texts/common.ts";
import { connectionHealthTexts } from "./texts/connection-health.ts";
import { connectionSetUpTexts } from "./texts/connection-set-up.ts";
import { connectionTexts } from "./texts/connections.ts";
import { consoleTexts } from "./texts/console.ts";
import { consentTexts } from "./texts/consent.ts";
import { errorListTexts } from "./texts/error-list.ts";
import { errorTexts } from "./texts/errors.ts";
import { keyTexts } from "./texts/keys.ts";
import { orderTexts } from "./texts/orders.ts";
import { signInTexts } from "./texts/sign-in.ts";
import { systemTexts } from "./texts/system.ts";

/** Every text that people see on pages, by page. A translation is another value of the same type. */
export const texts = {
  account: accountTexts,
  activity: activityTexts,
  apps: appTexts,
  authorization: authorizationTexts,
  callers: callerTexts,
  common: commonTexts,
  connectionHealth: connectionHealthTexts,
  connectionSetUp: connectionSetUpTexts,
  connections: connectionTexts,
  consent: consentTexts,
  console: consoleTexts,
  errorList: errorListTexts,
  errors: errorTexts,
  keys: keyTexts,
  orders: orderTexts,
  signIn: signInTexts,
  system: systemTexts,
};
