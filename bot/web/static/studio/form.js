// The form: prompt and swatches in sync, the seed and its lock, one picture or nine.

import { readPrompt } from "./browser.js";
import { showError, find, form } from "./dom.js";
import { say } from "../words.js";

const prompt = find("#prompt");
const seed = find("#seed");
const lock = find("#lock");
const one = find("#one");
const nine = find("#nine");
const swatches = [...form.querySelectorAll(".attribute input")];
const attributeOf = (swatch) => swatch.name.slice(form.dataset.prefix.length);

let edited = () => {};
let swatchSelected = () => {};
let request;
let timer;

/** `onEdit` is called for every change, `onSwatch` for a swatch. */
export function listen(onEdit, onSwatch) {
  edited = onEdit;
  swatchSelected = onSwatch;
}

form.addEventListener("change", (event) => {
  if (!swatches.includes(event.target)) return;
  cancelParsing();
  prompt.value = swatches
    .filter((swatch) => swatch.checked && swatch.value)
    .map((swatch) => swatch.dataset.words)
    .join(" ");
  showError("");
  edited();
  swatchSelected();
});

prompt.addEventListener("input", () => {
  showError("");
  cancelParsing();
  edited();
  timer = setTimeout(parsePrompt, 150);
});

seed.addEventListener("input", () => {
  showError("");
  lock.checked = seed.value.trim() !== "";
  edited();
});
lock.addEventListener("change", () => edited());

// They have no names, so that the form sent without this script does not contain them.
one.addEventListener("change", () => (nine.checked = false));
nine.addEventListener("change", () => (one.checked = false));
for (const [from, to] of [[one, nine], [nine, one]]) {
  from.addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    to.click();
    to.focus();
  });
}

/** Parses the prompt. Errors are shown on Paint, not while typing. */
async function parsePrompt() {
  request = new AbortController();
  try {
    const reading = await readPrompt(prompt.value, { signal: request.signal });
    selectSwatches(reading.wish);
    showUnused(reading);
  } catch {
    // Canceled by further typing, or not a valid prompt.
  }
}

/** Says which words of the prompt are not used, and which are. */
function showUnused({ unused, prompt: used }) {
  const words = unused.map((word) => say("script-studio-quoted", { word })).join(say("words-comma"));
  const key = used ? "script-studio-unused" : "script-studio-unused-all";
  find("#note").textContent = words && say(key, { words, used });
}

function cancelParsing() {
  showUnused({ unused: [] });
  request?.abort();
  clearTimeout(timer);
}

/** Selects the swatches of a wish. */
export function selectSwatches(wish) {
  for (const swatch of swatches) swatch.checked = swatch.value === (wish[attributeOf(swatch)] ?? "");
}

/** The selected values by attribute. */
export function selectedWish() {
  const selected = swatches.filter((swatch) => swatch.checked && swatch.value);
  return Object.fromEntries(selected.map((swatch) => [attributeOf(swatch), swatch.value]));
}

/** A copy of the color dot of a value, if it has one. */
export function dotOf(attribute, value) {
  const swatch = swatches.find((s) => attributeOf(s) === attribute && s.value === value);
  const dot = swatch && find(".dot", swatch.parentElement);
  return dot?.cloneNode(true);
}

/** The body of POST /api/avatars. */
export function requestBody() {
  const body = { prompt: prompt.value };
  if (nine.checked) body.count = 9;
  const typed = seed.value.trim();
  // Anything else is sent as it is: the server's error explains what is wrong.
  if (lock.checked && typed) body.seed = /^\d+$/.test(typed) ? Number(typed) : typed;
  return body;
}

/** Locks the face on display, and goes to the values. */
export function lockFace() {
  lock.checked = true;
  edited();
  swatches.find((swatch) => swatch.checked)?.focus();
}

/** Whether this avatar's face is locked. */
export const isLocked = (avatar) => lock.checked && seed.value.trim() === String(avatar.seed);

/** Whether the bot's model painted this avatar; a picture of this browser is repeated by the browser. */
export const isOfModelInUse = (avatar) => avatar.local || avatar.model === form.dataset.model;

/** Whether wish and seed paint this avatar again: they do not if it was made from others. */
export const isRepeatable = (avatar) =>
  isOfModelInUse(avatar) && !avatar.parents.length && avatar.choices == null;

export const draft = () => ({ prompt: prompt.value, seed: seed.value.trim(), lock: lock.checked });

export function fill(draft) {
  cancelParsing();
  showError("");
  seed.value = draft.seed;
  lock.checked = draft.lock && draft.seed !== "";
  if (prompt.value === draft.prompt) return;
  prompt.value = draft.prompt;
  parsePrompt();
}

/** Shows seed, prompt and swatches of an avatar, unless the prompt was edited since `prompted`. */
export function showWish(avatar, prompted) {
  seed.value = avatar.seed;
  if (prompted !== undefined && prompt.value !== prompted) return;
  cancelParsing();
  prompt.value = avatar.prompt;
  selectSwatches(avatar.wish);
}
