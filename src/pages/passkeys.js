// Signs in with a passkey, and adds one. Everything else on these pages works without this.
"use strict";

const knowsPasskeys = typeof PublicKeyCredential === "function" && typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function";

async function post(path, token, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Form-Token": token },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  // What asks for a fresh sign-in says where.
  if (answer.redirect_to) return answer;
  if (!response.ok) throw new Error(answer.error ?? "");
  return answer;
}

async function signIn({ token, returnTo }) {
  const { options } = await post("/sign-in/passkey/options", token, {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey });
  return await post("/sign-in/passkey", token, { credential: credential.toJSON(), return_to: returnTo });
}

async function add({ token, labelField }) {
  const { options, ...elsewhere } = await post("/account/passkeys/options", token, {});
  if (!options) return elsewhere;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  const label = document.getElementById(labelField).value;
  return await post("/account/passkeys", token, { credential: credential.toJSON(), label });
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!knowsPasskeys) continue;
  for (const part of document.querySelectorAll("[data-with-passkeys]")) part.hidden = false;
  for (const part of document.querySelectorAll("[data-without-passkeys]")) part.hidden = true;
  button.addEventListener("click", () => void press(button));
}

async function press(button) {
  const status = document.getElementById(button.dataset.status);
  status.textContent = "";
  button.disabled = true;
  try {
    const { redirect_to: target } = await (button.dataset.passkey === "add" ? add : signIn)(button.dataset);
    location.assign(target);
  } catch (error) {
    // A person who cancels gets a NotAllowedError of the browser's; its text is not for people.
    status.textContent = error.name === "Error" && error.message ? error.message : button.dataset.failed;
    button.disabled = false;
  }
}
