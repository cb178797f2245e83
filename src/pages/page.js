// All that pages do with script; each works without it.
"use strict";

// A form is sent once: further presses while it is on its way do nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = event.submitter;
  if (button && button.dataset.busy) {
    button.dataset.label = button.textContent;
    button.textContent = button.dataset.busy;
  }
  form.setAttribute("aria-busy", "true");
});

// A page that comes back from the browser's history is as it was before.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
    for (const button of form.querySelectorAll("[data-label]")) button.textContent = button.dataset.label;
  }
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const status = document.querySelector(`[data-copy-status="${button.dataset.copy}"]`);
  const text = button.querySelector("[data-copy-text]");
  const label = text.textContent;
  let said = button.dataset.done;
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    said = button.dataset.failed;
    getSelection().selectAllChildren(source);
  }
  text.textContent = said;
  status.textContent = said;
  setTimeout(() => {
    text.textContent = label;
    status.textContent = "";
  }, 3000);
}

function offerCopying() {
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) void copy(button);
});
document.addEventListener("parts-changed", offerCopying);
offerCopying();
