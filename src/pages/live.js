// Keeps parts of a page current by server-sent events. Without it, a page shows what was so when it was loaded.
"use strict";

const source = document.querySelector("[data-live]")?.dataset.live;
let stream;
let lastEventId = "";

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
  const parent = document.getElementById(id);
  if (!parent) return;
  const next = document.createElement("template");
  next.innerHTML = html;
  // What was told before, or came with the page, stays where it is.
  if (next.content.firstElementChild?.id && document.getElementById(next.content.firstElementChild.id)) return;
  parent.prepend(next.content);
  for (const most = Number(parent.dataset.most ?? Infinity); parent.children.length > most;) parent.lastElementChild.remove();
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
  const address = new URL(source, location.href);
  if (lastEventId) address.searchParams.set("last_event_id", lastEventId);
  stream = new EventSource(address);
  stream.addEventListener("replace", (event) => replace(JSON.parse(event.data)));
  stream.addEventListener("prepend", (event) => {
    lastEventId = event.lastEventId || lastEventId;
    prepend(JSON.parse(event.data));
  });
  stream.addEventListener("reload", () => location.reload());
}

if (source) {
  listen();
  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", () => stream?.close());
}
