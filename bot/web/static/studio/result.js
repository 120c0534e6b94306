// The result: empty, a skeleton, one picture, a sheet of pictures, or a morph.

import { loadImage } from "./api.js";
import { find } from "./dom.js";
import { imageOf, pageOf, thumbOf } from "../common.js";
import { describe, pair, say } from "../words.js";
import { dotOf, isOfModelInUse, isRepeatable } from "./form.js";
import { fillLink } from "./session.js";
import * as morph from "./morph.js";

const result = find("#result");
const frame = find(".frame", result);
const glow = find(".glow", result);
const sheet = find(".sheet", result);
const canvas = find(".between", result);
const chips = find(".chips", result);
const sizes = [...find("#sizes").querySelectorAll("a")];

/** Shows a skeleton, and makes room for the controls of the next state. */
export function wait(next, count = 1) {
  frame.dataset.cells = count;
  setControls(next);
  result.dataset.state = "painting";
  result.ariaBusy = "true";
}

/** Ends the waiting; shows the previous state again if nothing new arrived. */
export function stopWaiting() {
  result.ariaBusy = null;
  if (result.dataset.state !== "painting") return;
  const previous = result.dataset.previous ?? "empty";
  setControls(previous);
  result.dataset.state = previous;
}

export function showNothing() {
  set("empty");
  glow.hidden = true;
}

export async function showOne(avatar) {
  const fresh = await loadImage(imageOf(avatar), describe(avatar), avatar.width);
  fresh.className = "picture";
  fresh.dataset.id = avatar.id;
  find(".picture", result).replaceWith(fresh);
  find(".enlarge", result).href = imageOf(avatar);
  result.toggleAttribute("data-local", Boolean(avatar.local));
  setGlow(avatar);
  chips.replaceChildren(
    ...Object.entries(avatar.conditions).map(([name, value]) => chip(name, value, avatar.wish)),
  );
  find("#made").textContent = avatar.seed;
  const { model } = avatar;
  find("#model").textContent = isOfModelInUse(avatar) ? model : say("script-studio-other-model", { model });
  find("#link").href = pageOf(avatar);
  find("#command").value = commandLine(avatar);
  for (const link of sizes) await fillDownload(link, avatar);
  showFavorite(avatar);
  set("done");
}

export function showFavorite(avatar) {
  find("#favorite").ariaPressed = String(avatar.favourite ?? false);
}

export async function showSheet(avatars) {
  const cells = avatars.map((avatar) => {
    const link = document.createElement("a");
    link.append(new Image(128, 128));
    fillLink(link, avatar);
    const cell = document.createElement("li");
    cell.append(link);
    return cell;
  });
  result.toggleAttribute("data-local", Boolean(avatars[0].local));
  await Promise.all(cells.map((cell) => find("img", cell).decode().catch(() => {})));
  sheet.replaceChildren(...cells);
  setGlow(avatars[0]);
  set("sheet");
}

export function showMorph(transition) {
  morph.show(transition);
  const [a, b] = transition.pair;
  result.toggleAttribute("data-local", Boolean(a.local || b.local));
  result.querySelectorAll(".end").forEach((link, i) => fillLink(link, transition.pair[i]));
  find("#morph").href = `/api/morph.webp?ids=${a.id},${b.id}`;
  setGlow(a);
  set("morph");
}

function set(state) {
  result.dataset.state = state;
  result.dataset.previous = state;
  result.ariaBusy = null;
  find(".welcome", result).hidden = state !== "empty";
  find(".enlarge", result).hidden = state !== "done";
  sheet.hidden = state !== "sheet";
  canvas.hidden = state !== "morph";
  setControls(state);
  // A smooth scroll would carry away an element that gets the keyboard's focus meanwhile.
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches || find(":focus-visible");
  if (state !== "empty") find(".easel", result).scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
}

function setControls(state) {
  find(".way", result).hidden = state !== "morph";
  chips.hidden = state !== "done";
  find(".details", result).hidden = state !== "done";
  find(".tools", result).hidden = state === "empty";
  for (const id of ["favorite", "variations", "sizes", "recolor", "mix-with", "morph-with"]) find(`#${id}`).hidden = state !== "done";
  const store = find("#store");
  if (store) store.hidden = state !== "done";
  for (const id of ["mix", "morph"]) find(`#${id}`).hidden = state !== "morph";
}

function setGlow(avatar) {
  glow.src = thumbOf(avatar);
  glow.hidden = false;
}

function chip(name, value, wish) {
  const item = document.createElement("li");
  item.className = "chip";
  if (!(name in wish)) {
    item.dataset.random = "";
    item.title = say("page-random");
  }
  const words = document.createElement("span");
  words.textContent = pair(value, name);
  item.append(...[dotOf(name, value)].filter(Boolean), words);
  return item;
}

let object; // URL of the latest picture of this browser
async function objectUrl(url) {
  const response = await fetch(url);
  if (object) URL.revokeObjectURL(object);
  object = URL.createObjectURL(await response.blob());
  return object;
}

/** Makes a link download the avatar in its size. */
async function fillDownload(link, avatar) {
  const size = Number(link.textContent);
  link.hidden = avatar.local ? size !== avatar.width : size > avatar.width;
  link.href = `${imageOf(avatar)}?size=${size}`;
  // A download does not ask the service worker, which has the pictures of this browser.
  if (avatar.local && !link.hidden) link.href = await objectUrl(imageOf(avatar));
  link.download = `irodori-${avatar.id}-${size}.png`;
}

/** The Discord command for this picture, or for one like it if it cannot be repeated. */
function commandLine(avatar) {
  const option = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}_]+/gu, "-").replace(/^-|-$/g, "");
  const options = Object.entries(avatar.wish).map(([name, value]) => `${option(name)}:${value}`);
  if (isRepeatable(avatar)) options.push(`seed:${avatar.seed}`, `size:${avatar.width}`);
  return ["/avatar", ...options].join(" ");
}
