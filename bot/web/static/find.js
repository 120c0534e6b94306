// Finding a face by choosing. The search is in the URL: `?prompt=…&seed=…&choices=13.2&model=…`, so
// that the browser's back and forward move between sheets. Sheets that were shown are in its cache.

import { request } from "./common.js";
import { watchQueue } from "./queue.js";
import { describe, say } from "./words.js";

const find = (selector) => document.querySelector(selector);
const board = find("#faces");
const faces = [...board.querySelectorAll(".candidate")];
const steps = [...find("#steps").children];
const undo = find("#undo");
const nearer = find("#nearer");
const adopt = find("#adopt");
const form = find("#start");
const prompt = find("#prompt");

const KEYS = ["prompt", "seed", "choices", "model"]; // other sites add keys to links

let sheet = null; // as in the API
let chosen = new Set(); // numbers of faces
let latest = 0; // number of the latest load: a late response must not replace a newer sheet
let busy = false;

// Loading -------------------------------------------------------------------------------------

/** Shows the sheet in the URL. */
async function load(selected = []) {
  const mine = ++latest;
  setBusy(true);
  showError("");
  const given = new URLSearchParams(location.search);
  const query = new URLSearchParams([...given].filter(([key]) => KEYS.includes(key)));
  prompt.value = query.get("prompt") ?? "";
  const stopWatching = watchQueue(showQueue);
  try {
    const loaded = await request(`/api/find?${query}`);
    const image = await loadStrip(loaded.image_url);
    if (mine !== latest) return image.close();
    sheet = loaded;
    history.replaceState(history.state, "", urlOf(sheet, sheet.choices));
    draw(image);
    choose(selected);
    announce(say("script-find-sheet", sheet));
  } catch (error) {
    if (mine !== latest) return;
    showError(error.message);
    if (sheet) history.replaceState(history.state, "", urlOf(sheet, sheet.choices));
  } finally {
    stopWatching();
    if (mine === latest) setBusy(false);
  }
}

async function loadStrip(url) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error(say("script-request-silent"));
  }
  if (!response.ok) throw new Error((await response.json()).error);
  return createImageBitmap(await response.blob());
}

function urlOf({ prompt, seed, model }, choices) {
  const query = new URLSearchParams({ prompt, seed, choices, model });
  if (!prompt) query.delete("prompt");
  if (!choices) query.delete("choices");
  return `/find?${query}`;
}

/** Shows another sheet of this search, as a new step of the browser's history. */
function go(choices, selected) {
  if (busy) return;
  history.pushState(null, "", urlOf(sheet, choices));
  load(selected);
}

// Showing -------------------------------------------------------------------------------------

/** Draws the faces of a strip, an ImageBitmap. */
function draw(strip) {
  const size = strip.height;
  faces.forEach((face, i) => {
    const canvas = face.querySelector("canvas");
    canvas.width = canvas.height = size;
    canvas.getContext("2d").drawImage(strip, i * size, 0, size, size, 0, 0, size, size);
    face.setAttribute("aria-label", say("script-find-face", { number: i + 1, face: describe(sheet.faces[i]) }));
    face.disabled = false;
    face.classList.remove("fresh");
    void face.offsetWidth; // starts the animation again
    face.classList.add("fresh");
  });
  strip.close();
  delete board.dataset.empty;
  steps.forEach((step, i) => {
    step.toggleAttribute("data-done", i + 1 < sheet.round);
    if (i + 1 === sheet.round) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });
}

function choose(numbers) {
  chosen = new Set(numbers);
  update();
}

function toggle(number) {
  if (busy || !sheet) return;
  if (!chosen.delete(number)) chosen.add(number);
  update();
}

function update() {
  const last = sheet !== null && sheet.round === sheet.rounds;
  faces.forEach((face, i) => (face.ariaPressed = String(chosen.has(i + 1))));
  nearer.disabled = busy || !chosen.size || last;
  adopt.disabled = busy || chosen.size !== 1;
  undo.disabled = busy || !sheet?.choices;
  find("#state").textContent = sheet ? describeState(last) : "";
}

function describeState(last) {
  const next = chosen.size
    ? say("script-find-chosen", { count: chosen.size })
    : say(last ? "script-find-choose-last" : "script-find-choose");
  return `${say("script-find-sheet", sheet)} · ${next}`;
}

function showQueue(text) {
  if (!text) return update();
  find("#state").textContent = text;
  announce(text);
}

function setBusy(state) {
  busy = state;
  board.ariaBusy = state ? "true" : null;
  update();
}

function showError(text) {
  const problem = find("#problem");
  problem.textContent = text;
  if (text) problem.scrollIntoView({ block: "nearest" });
}

const announce = (text) => (find("#news").textContent = text);

// Actions -------------------------------------------------------------------------------------

function goOn() {
  if (nearer.disabled) return;
  const choice = [...chosen].sort().join("");
  go(sheet.choices ? `${sheet.choices}.${choice}` : choice);
  board.focus({ preventScroll: true });
}

function goBack() {
  if (undo.disabled) return;
  const choices = sheet.choices.split(".");
  const selected = [...choices.pop()].map(Number);
  go(choices.join("."), selected);
  board.focus({ preventScroll: true });
}

async function adoptChosen() {
  if (adopt.disabled) return;
  setBusy(true);
  showError("");
  const { prompt, seed, model, choices } = sheet;
  const [number] = chosen;
  const path = choices ? `${choices}.${number}` : String(number);
  try {
    const [avatar] = await request("/api/find", "POST", { prompt, seed, model, choices: path });
    location.assign(`/a/${avatar.id}`);
  } catch (error) {
    showError(error.message);
  } finally {
    setBusy(false);
  }
}

faces.forEach((face, i) => face.addEventListener("click", () => toggle(i + 1)));
nearer.addEventListener("click", goOn);
undo.addEventListener("click", goBack);
adopt.addEventListener("click", adoptChosen);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (busy) return;
  const query = new URLSearchParams(prompt.value.trim() ? { prompt: prompt.value.trim() } : {});
  history.pushState(null, "", `/find${query.size ? `?${query}` : ""}`);
  load();
});

addEventListener("popstate", () => {
  const before = sheet?.choices.split(".") ?? [];
  const choices = new URLSearchParams(location.search).get("choices") ?? "";
  const isUndo = before.slice(0, -1).join(".") === choices && before.length > 0;
  load(isUndo ? [...before.at(-1)].map(Number) : []);
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const other = event.target.closest?.("input, a, button");
  if (other?.matches("input")) return;
  if (/^[1-9]$/.test(event.key)) toggle(Number(event.key));
  else if (event.key === "Backspace") goBack();
  // On the other buttons and on links, Enter does what they say.
  else if (event.key === "Enter" && (!other || faces.includes(other))) goOn();
  else return;
  event.preventDefault();
});

if (!form.querySelector("button").disabled) {
  board.dataset.empty = "";
  load();
}
