import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { systemRandom } from "../lib/random.ts";
import { Secret } from "../lib/secret.ts";
import { loadSealingKey } from "./sealing-key.ts";
import { createSealer } from "./sealing.ts";

const place = { table: "connections", column: "sealed_secrets", rowId: "con_1", userId: "usr_1" };

describe("the sealing key", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ibkr-gateway-key-"));
    file = join(folder, "sealing.key");
  });
  afterEach(() => rm(folder, { recursive: true }));
  const load = (setting?: Secret) => loadSealingKey({ setting, file, random: systemRandom });

  it("is made on the first start, for its owner alone, and found on the next", async () => {
    const first = await load();
    const sealed = createSealer(first).seal("token", place);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["sealing.key"]);
    const second = await load();
    expect(second.keyId).toBe(first.keyId);
    expect(createSealer(second).unseal(sealed, place)).toBe("token");
  });

  it("is the same for all of several processes that start at once", async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => load()));
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1);
    expect(await readdir(folder)).toEqual(["sealing.key"]);
  });

  it("comes from the setting when there is one, and then makes no file", async () => {
    const setting = new Secret(Buffer.alloc(32, 1).toString("hex"));
    const same = new Secret(Buffer.alloc(32, 1).toString("base64"));
    expect((await load(setting)).keyId).toBe((await load(same)).keyId);
    expect(await readdir(folder)).toEqual([]);
    await expect(load(new Secret("password"))).rejects.toThrow("32 bytes in base64 or hex");
  });

  it.each([0o640, 0o604, 0o660, 0o666])("is refused when others may read or write its file (mode %o)", async (mode) => {
    await load();
    await chmod(file, mode);
    await expect(load()).rejects.toThrow(`the sealing key file ${file} can be read by others: run chmod 600 ${file}`);
  });

  it("is refused when its file is damaged, and the file is left alone", async () => {
    await writeFile(file, "not a key", { mode: 0o600 });
    await expect(load()).rejects.toThrow("is damaged: restore it from a backup");
    expect(await readFile(file, "utf8")).toBe("not a key");
  });

  it("is refused when its file is a link to somewhere else", async () => {
    await symlink(join(folder, "elsewhere"), file);
    await expect(load()).rejects.toThrow("is not a plain file");
  });

  it("is not shown by printing it", async () => {
    const key = await load();
    const text = (await readFile(file, "utf8")).trim();
    expect(`${JSON.stringify(key)} ${String(key.key)}`).not.toContain(text);
  });
});
