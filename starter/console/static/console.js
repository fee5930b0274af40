/* What the console does in the browser beyond htmx: nothing that a page needs to be usable. */
"use strict";

/* A list that refreshes itself never takes away what somebody is typing, choosing or reading folded out. */
function busy(part) {
  const active = document.activeElement;
  if (active && part.contains(active) && active.matches("input, select, textarea, button, summary")) return true;
  if (part.querySelector("details[open]:not(.folding)")) return true;
  return [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.matches("[data-refresh]") && (document.hidden || busy(part))) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.elt;
  if (part.matches("[data-refresh]") && (event.detail.xhr.status !== 200 || busy(part))) event.detail.shouldSwap = false;
});

/* Filters apply when they are changed; without script their button does it. */
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form) form.requestSubmit();
});

/* A second click on a button that works does nothing. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  if (window.matchMedia("(max-width: 60rem)").matches) document.querySelectorAll("details.folding").forEach((menu) => { menu.open = false; });
});
