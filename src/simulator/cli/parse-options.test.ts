import { expect, test } from "vitest";

import { parseOptions } from "./parse-options.ts";

test("options have defaults, and the state lies beside the credentials", () => {
  expect(parseOptions(["--credentials-dir", "creds"])).toEqual({
    kind: "run",
    options: {
      port: 5055,
      host: "127.0.0.1",
      credentialsDir: "creds",
      stateFile: "creds/state.sqlite",
      publicUrl: undefined,
      seed: undefined,
      tradingHours: "always_open",
      user: "paper",
      control: false,
      maintenance: false,
      gatewayPort: undefined,
    },
  });
});

test("every option is taken", () => {
  const text =
    "--credentials-dir c --port 0 --host 0.0.0.0 --public-url https://sim.example --state s --seed x --hours real --user live --control --maintenance --gateway-port 5000";
  expect(parseOptions(text.split(" "))).toEqual({
    kind: "run",
    options: {
      port: 0,
      host: "0.0.0.0",
      credentialsDir: "c",
      stateFile: "s",
      publicUrl: "https://sim.example",
      seed: "x",
      tradingHours: "real",
      user: "live",
      control: true,
      maintenance: true,
      gatewayPort: 5000,
    },
  });
});

test("help goes before everything else", () => {
  expect(parseOptions(["--help", "--port", "x"])).toEqual({ kind: "help" });
});

test.each<[string, readonly string[], string]>([
  ["an unknown option", ["--nonsense"], "Unknown option '--nonsense'"],
  ["a word that is no option", ["start"], "Unexpected argument 'start'"],
  ["an option without its value", ["--port"], "Option '--port <value>' argument missing"],
  ["no folder", [], "--credentials-dir DIR is missing"],
  ["a port that is none", ["--credentials-dir", "x", "--port", "http"], "--port is not a port number (0 to 65535)"],
  ["an empty port", ["--credentials-dir", "x", "--port", ""], "--port is not a port number (0 to 65535)"],
  ["a port out of range", ["--credentials-dir", "x", "--port", "70000"], "--port is not a port number (0 to 65535)"],
  ["a gateway port that is none", ["--credentials-dir", "x", "--gateway-port", "tls"], "--gateway-port is not a port number (0 to 65535)"],
  ["an unknown user", ["--credentials-dir", "x", "--user", "nobody"], "--user is none of paper, live, advisor"],
  ["unknown hours", ["--credentials-dir", "x", "--hours", "never"], "--hours is neither always_open nor real"],
  ["a public URL that is none", ["--credentials-dir", "x", "--public-url", "sim"], "--public-url is not an http or https URL"],
])("%s is a mistake", (_mistake, args, reason) => {
  expect(parseOptions(args)).toEqual({ kind: "mistake", reason });
});
