// What is asked for: swatches and words in step, the seed and its lock, one picture or nine.

import { get } from "./api.js";
import { complain, find, form } from "./dom.js";

const prompt = find("#prompt");
const seed = find("#seed");
const hold = find("#hold");
const one = find("#one");
const nine = find("#nine");
const swatches = [...form.querySelectorAll(".attribute input")];
const attributeOf = (swatch) => swatch.name.slice(form.dataset.field.length);

let edited = () => {};
let recoloured = () => {};
let reading;
let pause;

/** `onEdit` hears of every change, `onRecolour` of another swatch. */
export function listen(onEdit, onRecolour) {
  edited = onEdit;
  recoloured = onRecolour;
}

form.addEventListener("change", (event) => {
  if (!swatches.includes(event.target)) return;
  stopReading();
  prompt.value = swatches
    .filter((swatch) => swatch.checked && swatch.value)
    .map((swatch) => swatch.dataset.words)
    .join(" ");
  complain("");
  edited();
  recoloured();
});

prompt.addEventListener("input", () => {
  complain("");
  stopReading();
  edited();
  pause = setTimeout(readWords, 150);
});

seed.addEventListener("input", () => {
  complain("");
  hold.checked = seed.value.trim() !== "";
  edited();
});
hold.addEventListener("change", () => edited());

// They have no name, so that a form sent without this script does not carry them.
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

/** The bot alone knows how words are read. Half a word is no mistake yet: errors wait for Paint. */
async function readWords() {
  reading = new AbortController();
  const query = new URLSearchParams({ prompt: prompt.value });
  try {
    choose((await get(`/api/wish?${query}`, { signal: reading.signal })).wish);
  } catch {
    // Overtaken by the next word, or no wish; Paint will tell.
  }
}

function stopReading() {
  reading?.abort();
  clearTimeout(pause);
}

/** Checks the swatches of a wish. */
export function choose(wish) {
  for (const swatch of swatches) swatch.checked = swatch.value === (wish[attributeOf(swatch)] ?? "");
}

/** attribute -> value, as the swatches stand. */
export function wished() {
  const chosen = swatches.filter((swatch) => swatch.checked && swatch.value);
  return Object.fromEntries(chosen.map((swatch) => [attributeOf(swatch), swatch.value]));
}

/** The dab of paint of a value, if it has one. */
export function dabOf(attribute, value) {
  const own = swatches.find((s) => attributeOf(s) === attribute && s.value === value);
  const dab = own && find(".dab", own.parentElement);
  return dab?.cloneNode(true);
}

/** The body of POST /api/avatars. */
export function order() {
  const body = { prompt: prompt.value };
  if (nine.checked) body.count = 9;
  const typed = seed.value.trim();
  // What is no number is sent as it is: the bot says what is wrong with it.
  if (hold.checked && typed) body.seed = /^\d+$/.test(typed) ? Number(typed) : typed;
  return body;
}

/** Whether another swatch means this very face in other colours. */
export const holds = (avatar) => hold.checked && seed.value.trim() === String(avatar.seed);

export const draft = () => ({ prompt: prompt.value, seed: seed.value.trim(), hold: hold.checked });

export function fill(draft) {
  stopReading();
  complain("");
  seed.value = draft.seed;
  hold.checked = draft.hold && draft.seed !== "";
  if (prompt.value === draft.prompt) return;
  prompt.value = draft.prompt;
  readWords();
}

/** What was painted: its seed shows, and its swatches, if nobody has gone on writing meanwhile. */
export function settle(avatar, asked) {
  seed.value = avatar.seed;
  if (asked !== undefined && prompt.value !== asked) return;
  stopReading();
  prompt.value = avatar.prompt;
  choose(avatar.wish);
}
