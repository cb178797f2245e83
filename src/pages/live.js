// Keeps parts of a page current by server-sent events. Without it, a page shows what was so when it was loaded.
"use strict";

const source = document.querySelector("[data-live]")?.dataset.live;
let stream;

// What a person has opened stays open, and what they are at isn't taken away under their hands.
function replace({ id, html }) {
  const present = document.getElementById(id);
  if (!present) return;
  if (present.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) return;
  const focused = present.contains(document.activeElement) ? document.activeElement.id : "";
  const opened = new Map([...present.querySelectorAll("details[id]")].map((part) => [part.id, part.open]));
  const next = document.createElement("template");
  next.innerHTML = html;
  for (const part of next.content.querySelectorAll("details[id]")) part.open = opened.get(part.id) ?? part.open;
  present.replaceWith(next.content);
  if (focused) document.getElementById(focused)?.focus();
  document.dispatchEvent(new CustomEvent("parts-changed"));
}

function prepend({ id, html }) {
  document.getElementById(id)?.insertAdjacentHTML("afterbegin", html);
  document.dispatchEvent(new CustomEvent("parts-changed"));
}

// A hidden page listens to nothing: browsers keep few lines open to one site.
function listen() {
  if (document.hidden) {
    stream?.close();
    stream = undefined;
    return;
  }
  if (stream) return;
  stream = new EventSource(source);
  stream.addEventListener("replace", (event) => replace(JSON.parse(event.data)));
  stream.addEventListener("prepend", (event) => prepend(JSON.parse(event.data)));
  stream.addEventListener("reload", () => location.reload());
}

if (source) {
  listen();
  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", () => stream?.close());
}
