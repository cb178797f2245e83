import { consoleNavigation, type ConsolePlace } from "../pages/console-navigation.ts";
import type { FrameUser, PageFrame } from "../pages/layout.tsx";

/**
 * The frame of the console's pages: the navigation with the current place, room for tables. A page adds `lead`, `actions`,
 * `back` or another `width` with a spread: `{ ...consoleFrame("API keys", "keys", user), actions: … }`.
 */
export function consoleFrame(title: string, current: ConsolePlace, user: FrameUser): PageFrame {
  return { title, user, width: "wide", navigation: consoleNavigation(current) };
}
