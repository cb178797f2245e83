import { spawn } from "node:child_process";
import { join } from "node:path";

/** Starts the built gateway of a checkout on a free port; it must print a key, so its data folder must be new. */
export async function startCheckout(
  root: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly key: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, ["--max-semi-space-size=4", join(root, "dist/cli.js"), "serve"], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", PORT: "0", LOG_LEVEL: "warn", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (/listening on http/.test(output)) resolve();
    });
    void ended.then(() => reject(new Error(`the gateway in ${root} did not start`)));
  });
  const [, url = ""] = /listening on (http:\/\/\S+)/.exec(output) ?? [];
  const [, key = ""] = /\b(ibkr_[\w-]{20,})/.exec(output) ?? [];
  return {
    url,
    key,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
