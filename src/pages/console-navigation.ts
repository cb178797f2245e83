import type { PageFrame } from "./layout.tsx";
import { consoleTexts } from "./texts/console.ts";

/** The places of the console, in the order in which they stand in its navigation. */
export type ConsolePlace = "connections" | "keys" | "apps" | "activity" | "errors" | "settings";

/** Where each place is. */
export const CONSOLE_PATHS: Readonly<Record<ConsolePlace, string>> = {
  connections: "/console",
  keys: "/console/keys",
  apps: "/console/apps",
  activity: "/console/activity",
  errors: "/console/errors",
  settings: "/account",
};

const PLACES: readonly ConsolePlace[] = ["connections", "keys", "apps", "activity", "errors", "settings"];

/** The navigation of all pages of a signed-in person, the account page among them. */
export function consoleNavigation(current: ConsolePlace): NonNullable<PageFrame["navigation"]> {
  return PLACES.map((place) => ({ href: CONSOLE_PATHS[place], label: consoleTexts.places[place], isCurrent: place === current }));
}
