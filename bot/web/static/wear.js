// The page /wear: shows the face of the typed name, and its addresses.

import { say } from "./words.js";

const find = (selector) => document.querySelector(selector);
const page = find(".wear");
const { origin, model, example } = page.dataset;
const [name, values, face] = ["#name", "#values", "#face"].map(find);
const PAUSE = 300; // milliseconds without typing until a face is requested
let timer;
let problems; // aborts the request for the reason of an earlier failure

function path() {
  const chosen = values.value.trim();
  const prefix = chosen ? `${encodeURIComponent(chosen).replaceAll("%3A", ":").replaceAll("%2C", ",")}/` : "";
  return `${prefix}${encodeURIComponent(name.value.trim() || example)}.png`;
}

function showAddresses() {
  for (const address of document.querySelectorAll("[data-address]")) {
    const pinned = address.dataset.address === "pinned" ? `v/${encodeURIComponent(model)}/` : "";
    address.textContent = `${origin}${pinned}${path()}`;
  }
}

function showFace() {
  problems?.abort();
  find("#problem").textContent = "";
  face.alt = say("script-wear-face", { name: name.value.trim() || example });
  face.src = `/avatar/${path()}`;
}

async function showProblem() {
  problems = new AbortController();
  try {
    const response = await fetch(face.src, { signal: problems.signal });
    if (response.ok) return;
    find("#problem").textContent = (await response.json()).error;
  } catch (error) {
    if (error.name !== "AbortError") find("#problem").textContent = say("script-request-silent");
  }
}

face.addEventListener("error", showProblem);
find("#wear").addEventListener("input", () => {
  showAddresses();
  clearTimeout(timer);
  timer = setTimeout(showFace, PAUSE);
});
find("#wear").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  showFace();
});
page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    find("#news").textContent = say("script-wear-copied-line");
    button.textContent = say("script-wear-copied");
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    find("#news").textContent = say("script-wear-selected");
  }
});
