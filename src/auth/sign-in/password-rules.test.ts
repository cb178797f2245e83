import { describe, expect, it } from "vitest";

import { passwordFault } from "./password-rules.ts";

describe("a password", () => {
  it.each([
    "seventeen blue herons",
    "korrekt pferd batterie heftklammer",
    "f7K!qz92-Lm0p",
    "пароль из многих слов",
    "12 drummers drumming 9 ladies",
  ])("may be %s", (password) => expect(passwordFault(password, ["ada@example.com", "Ada"])).toBeUndefined());

  it.each([
    ["short", "too_short"],
    ["elevenchars", "too_short"],
    ["🔑🔑🔑🔑🔑🔑", "too_short"],
    ["x".repeat(201), "too_long"],
    ["password1234", "too_common"],
    ["P@ssw0rd!!!!", "too_common"],
    ["P4$$w0rd1234", "too_common"],
    ["PasswordPassword", "too_common"],
    ["qwertyuiop12", "too_common"],
    ["qwertyuiopasdfg", "too_common"],
    ["123456789012", "too_common"],
    ["abcdefghijklmno", "too_common"],
    ["aaaaaaaaaaaaaaaa", "too_common"],
    ["abababababab", "too_common"],
    ["welcome-2026!", "too_common"],
    ["interactivebrokers1", "too_common"],
    ["correct horse battery staple", "too_common"],
    ["ada.lovelace1", "like_the_name"],
    ["ada.lovelace@example.com", "like_the_name"],
  ])("may not be %s: %s", (password, fault) => {
    expect(passwordFault(password, ["ada.lovelace@example.com", "Ada Lovelace"])).toBe(fault);
  });
});
