// The visitor's pictures: a strip that survives a reload, where two can be selected. In a new tab, it
// has those that the server knows by the visitor's cookie.

import { get } from "./api.js";
import { stored } from "./browser.js";
import { urlOf, hashOf } from "./url.js";
import { find, mayPaint, announce } from "./dom.js";
import { thumbOf } from "../common.js";
import { describe, say } from "../words.js";

const MAX_PICTURES = 60; // that the strip keeps
const KEY = "irodori-visit";

const section = find("#visit");
const strip = find(".strip", section);
const help = find("#visit-help");
const helpText = help.textContent;

let avatars = restore();
let selected = [];
let morph = () => {};

export function open(onMorph) {
  morph = onMorph;
  if (!mayPaint) help.hidden = true;
  draw();
  if (avatars.length === 0) loadOwn();
}

async function loadOwn() {
  const own = await get(`/api/mine?limit=${MAX_PICTURES}`).catch(() => ({ avatars: [] })); // without the bot
  const found = [...(await stored()), ...own.avatars];
  const known = new Set(avatars.map(({ id }) => id)); // painted meanwhile
  avatars = [...avatars, ...found.filter(({ id }) => !known.has(id))].slice(0, MAX_PICTURES);
  save();
  draw();
}

export function add(painted) {
  const ids = new Set(painted.map((avatar) => avatar.id));
  avatars = [...painted, ...avatars.filter((avatar) => !ids.has(avatar.id))].slice(0, MAX_PICTURES);
  save();
  draw();
}

/** An avatar of this session, or any other public one. */
export async function load(id) {
  const known = avatars.find((avatar) => avatar.id === id);
  if (known) return known;
  const { children, siblings, ...found } = await get(`/api/avatars/${id}`);
  add([found]);
  return found;
}

/** Adds placeholders to the strip until it is drawn again. */
export function addPlaceholders(count) {
  for (let i = 0; i < count; i++) {
    const item = document.createElement("li");
    item.className = "blank";
    strip.prepend(item);
  }
  section.hidden = false;
}

export function remove(id) {
  avatars = avatars.filter((avatar) => avatar.id !== id);
  save();
  draw();
}

export function save() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(avatars));
  } catch {
    // Storage is full or disabled: the strip ends with the page.
  }
}

export function mark(ids) {
  for (const link of strip.querySelectorAll(".face")) {
    if (ids.includes(link.dataset.id)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/** Makes a link show the avatar; it can be dragged, dropped on and opened in a new tab. */
export function fillLink(link, avatar) {
  const draft = { prompt: avatar.prompt, seed: String(avatar.seed) };
  link.href = urlOf(draft, hashOf({ ids: [avatar.id] }));
  link.dataset.id = avatar.id;
  const image = find("img", link);
  image.src = thumbOf(avatar);
  image.alt = describe(avatar);
}

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

export function draw() {
  const faces = [...strip.querySelectorAll(".face")];
  const there = new Map(faces.map((face) => [face.dataset.id, face.parentElement]));
  strip.replaceChildren(...avatars.map((avatar) => there.get(avatar.id) ?? newFace(avatar)));
  section.hidden = avatars.length === 0;
}

function newFace(avatar) {
  const item = find("#new-face").content.firstElementChild.cloneNode(true);
  fillLink(find(".face", item), avatar);
  find("img", item).addEventListener("error", () => navigator.onLine && remove(avatar.id));
  const button = find(".choose", item);
  button.setAttribute("aria-label", say("script-studio-choose", { face: describe(avatar), seed: String(avatar.seed) }));
  button.hidden = !mayPaint;
  button.addEventListener("click", () => select(avatar.id));
  return item;
}

function select(id) {
  selected = selected.includes(id) ? [] : [...selected, id];
  const done = selected.length === 2;
  const pair = selected;
  if (done) selected = [];
  for (const face of strip.querySelectorAll(".face")) {
    const isSelected = selected.includes(face.dataset.id);
    find(".choose", face.parentElement).ariaPressed = String(isSelected);
  }
  help.textContent = selected.length ? say("script-studio-choose-other") : helpText;
  if (done) morph(...pair);
  else if (selected.length) announce(help.textContent);
}

// Dragging: pictures are links, so that the browser transfers their URLs.

const faceOf = (event) => event.target.closest?.("[data-id]");
const isLink = (event) => event.dataTransfer.types.includes("text/uri-list");

addEventListener("dragover", (event) => {
  const face = mayPaint && isLink(event) && faceOf(event);
  for (const other of document.querySelectorAll(".drop-target")) {
    if (other !== face) other.classList.remove("drop-target");
  }
  if (!face) return;
  event.preventDefault();
  face.classList.add("drop-target");
});

addEventListener("dragend", () => find(".drop-target")?.classList.remove("drop-target"));

addEventListener("drop", (event) => {
  const face = mayPaint && isLink(event) && faceOf(event);
  if (!face) return;
  event.preventDefault();
  face.classList.remove("drop-target");
  const url = event.dataTransfer.getData("text/uri-list");
  const [, id] = /(?:#\/|\/a\/|\/images\/|\/thumbs\/)([a-z0-9]{1,32})(?:\.|$|\s|\?)/.exec(url) ?? [];
  if (id && id !== face.dataset.id) morph(id, face.dataset.id);
});
