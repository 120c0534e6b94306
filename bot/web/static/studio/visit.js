// The pictures of this visit: a strip that outlives a reload, where two faces can be chosen.

import { get } from "./api.js";
import { addressOf, hashOf } from "./address.js";
import { find, mayPaint, tell } from "./dom.js";
import { describe } from "../faces.js";

const MANY = 60; // pictures; what is older has left
const KEY = "irodori-visit";

const section = find("#visit");
const strip = find(".strip", section);
const how = find("#how");
const usual = how.textContent;

let avatars = recall();
let chosen = [];
let blend = () => {};

export function open(onBlend) {
  blend = onBlend;
  if (!mayPaint) how.hidden = true;
  draw();
}

export function remember(added) {
  const ids = new Set(added.map((avatar) => avatar.id));
  avatars = [...added, ...avatars.filter((avatar) => !ids.has(avatar.id))].slice(0, MANY);
  keep();
  draw();
}

/** An avatar of this visit, or any other public one. */
export async function load(id) {
  const known = avatars.find((avatar) => avatar.id === id);
  if (known) return known;
  const { children, siblings, ...found } = await get(`/api/avatars/${id}`);
  remember([found]);
  return found;
}

/** Room in the strip for so many more, until it is drawn again. */
export function expect(count) {
  for (let i = 0; i < count; i++) {
    const item = document.createElement("li");
    item.className = "blank";
    strip.prepend(item);
  }
  section.hidden = false;
}

export function forget(id) {
  avatars = avatars.filter((avatar) => avatar.id !== id);
  keep();
  draw();
}

export function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(avatars));
  } catch {
    // Full, or closed by the browser: then the strip ends with the page.
  }
}

export function mark(ids) {
  for (const link of strip.querySelectorAll(".face")) {
    if (ids.includes(link.dataset.id)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/** A link to the picture: it can be dragged, opened elsewhere, and dropped upon. */
export function dress(link, avatar) {
  const draft = { prompt: avatar.prompt, seed: String(avatar.seed) };
  link.href = addressOf(draft, hashOf({ ids: [avatar.id] }));
  link.dataset.id = avatar.id;
  const image = find("img", link);
  image.src = avatar.thumb_url;
  image.alt = describe(avatar);
}

function recall() {
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
  dress(find(".face", item), avatar);
  find("img", item).addEventListener("error", () => forget(avatar.id));
  const button = find(".choose", item);
  button.setAttribute("aria-label", `Blend ${describe(avatar)}, seed ${avatar.seed}`);
  button.hidden = !mayPaint;
  button.addEventListener("click", () => pick(avatar.id));
  return item;
}

function pick(id) {
  chosen = chosen.includes(id) ? [] : [...chosen, id];
  const done = chosen.length === 2;
  const pair = chosen;
  if (done) chosen = [];
  for (const face of strip.querySelectorAll(".face")) {
    const isChosen = chosen.includes(face.dataset.id);
    find(".choose", face.parentElement).ariaPressed = String(isChosen);
  }
  how.textContent = chosen.length ? "Choose one more to blend it with." : usual;
  if (done) blend(...pair);
  else if (chosen.length) tell(how.textContent);
}

// Dragging: faces are links and pictures, so that the browser carries their addresses by itself.

const facesOf = (event) => event.target.closest?.("[data-id]");
const isLink = (event) => event.dataTransfer.types.includes("text/uri-list");

addEventListener("dragover", (event) => {
  const face = mayPaint && isLink(event) && facesOf(event);
  for (const other of document.querySelectorAll(".under")) {
    if (other !== face) other.classList.remove("under");
  }
  if (!face) return;
  event.preventDefault();
  face.classList.add("under");
});

addEventListener("dragend", () => find(".under")?.classList.remove("under"));

addEventListener("drop", (event) => {
  const face = mayPaint && isLink(event) && facesOf(event);
  if (!face) return;
  event.preventDefault();
  face.classList.remove("under");
  const address = event.dataTransfer.getData("text/uri-list");
  const [, id] = /(?:#\/|\/a\/|\/images\/|\/thumbs\/)([a-z0-9]{1,32})(?:\.|$|\s|\?)/.exec(address) ?? [];
  if (id && id !== face.dataset.id) blend(id, face.dataset.id);
});
