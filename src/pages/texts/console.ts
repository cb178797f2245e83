/** Texts of the console's frame. */
export const consoleTexts = {
  navigation: "Console",
  places: {
    connections: "Connections",
    keys: "API keys",
    apps: "Connected apps",
    activity: "Activity",
    errors: "Errors",
    settings: "Settings",
  },
};
