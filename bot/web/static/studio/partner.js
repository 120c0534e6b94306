// Choosing the other picture of "Mix with…" and "Morph into…": from the strip, or from the gallery
// below it.

import { find, announce } from "./dom.js";
import { say } from "../words.js";

const TIPS = {
  "mix-with": say("script-studio-mix-tip"),
  "morph-with": say("script-studio-morph-tip"),
};

let choosing = null; // id of the pressed button
let first; // id of the picture on display

/** Calls `onMix` or `onMorph` with the ids of both pictures; `shownId` returns the first one. */
export function listen({ shownId, onMix, onMorph }) {
  for (const id of Object.keys(TIPS)) {
    find(`#${id}`).addEventListener("click", () => (choosing === id ? stop() : start(id, shownId())));
  }
  // Before other listeners, which would open the picture.
  addEventListener("click", (event) => {
    const link = choosing && event.target.closest("a[data-id], #gallery a.tile");
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    const other = link.dataset.id ?? link.pathname.split("/").pop();
    if (other === first) return showTip(say("script-studio-same"));
    const done = choosing === "mix-with" ? onMix : onMorph;
    const pair = [first, other];
    stop();
    done(...pair);
  }, true);
  addEventListener("keydown", (event) => event.key === "Escape" && cancel());
  find("#cancel-choosing").addEventListener("click", cancel);
}

function start(id, shownId) {
  stop();
  choosing = id;
  first = shownId;
  document.body.dataset.choosing = "";
  find(`#${id}`).ariaPressed = "true";
  showTip(TIPS[id]);
  find("#cancel-choosing").hidden = false;
  const strip = find("#visit");
  const target = strip.querySelectorAll(".face").length > 1 ? strip : find("#gallery");
  target.scrollIntoView({ block: "nearest" });
}

function cancel() {
  if (!choosing) return;
  const pressed = find(`#${choosing}`);
  stop();
  pressed.focus();
}

/** Ends choosing, and hides the tip. */
export function stop() {
  find("#cancel-choosing").hidden = true;
  if (choosing) find(`#${choosing}`).ariaPressed = "false";
  choosing = null;
  delete document.body.dataset.choosing;
  showTip("");
}

export function showTip(text) {
  find("#tip").textContent = text;
  if (text) announce(text);
}
