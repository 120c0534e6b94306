// What is on the easel: nothing yet, a skeleton, one picture, a sheet of them, or a blend.

import { loadImage } from "./api.js";
import { find } from "./dom.js";
import { describe } from "../faces.js";
import { dabOf } from "./order.js";
import { dress } from "./visit.js";
import * as blend from "./blend.js";

const result = find("#result");
const frame = find(".frame", result);
const glow = find(".glow", result);
const sheet = find(".sheet", result);
const canvas = find(".between", result);
const chips = find(".chips", result);
const sizes = [...find("#sizes").querySelectorAll("a")];

/** A skeleton of so many pictures, and room for what stands under the state that comes next. */
export function wait(next, count = 1) {
  frame.dataset.cells = count;
  setUnder(next);
  result.dataset.state = "painting";
  result.ariaBusy = "true";
}

/** The end of the waiting; what was there before is there again if nothing new came. */
export function rest() {
  result.ariaBusy = null;
  if (result.dataset.state !== "painting") return;
  const before = result.dataset.shown ?? "empty";
  setUnder(before);
  result.dataset.state = before;
}

export function showNothing() {
  set("empty");
  glow.hidden = true;
}

export async function showOne(avatar) {
  const fresh = await loadImage(avatar.image_url, describe(avatar), avatar.width);
  fresh.className = "picture";
  fresh.dataset.id = avatar.id;
  find(".picture", result).replaceWith(fresh);
  lightUp(avatar);
  chips.replaceChildren(
    ...Object.entries(avatar.conditions).map(([name, value]) => chip(name, value, avatar.wish)),
  );
  find("#made").textContent = avatar.seed;
  find("#model").textContent = avatar.model;
  find("#link").href = avatar.url;
  find("#command").value = commandLine(avatar);
  for (const link of sizes) offer(link, avatar);
  showFavourite(avatar);
  set("done");
}

export function showFavourite(avatar) {
  find("#favourite").ariaPressed = String(avatar.favourite ?? false);
}

export async function showSheet(avatars) {
  const cells = avatars.map((avatar) => {
    const link = document.createElement("a");
    link.append(new Image(128, 128));
    dress(link, avatar);
    const cell = document.createElement("li");
    cell.append(link);
    return cell;
  });
  await Promise.all(cells.map((cell) => find("img", cell).decode().catch(() => {})));
  sheet.replaceChildren(...cells);
  lightUp(avatars[0]);
  set("sheet");
}

export function showBlend(way) {
  blend.show(way);
  const [a, b] = way.pair;
  result.querySelectorAll(".end").forEach((link, i) => dress(link, way.pair[i]));
  find("#morph").href = `/api/morph.webp?ids=${a.id},${b.id}`;
  lightUp(a);
  set("blend");
}

function set(state) {
  result.dataset.state = state;
  result.dataset.shown = state;
  result.ariaBusy = null;
  find(".hint", result).hidden = state !== "empty";
  find(".picture", result).hidden = state !== "done";
  sheet.hidden = state !== "sheet";
  canvas.hidden = state !== "blend";
  setUnder(state);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (state !== "empty") result.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

function setUnder(state) {
  find(".way", result).hidden = state !== "blend";
  chips.hidden = state !== "done";
  find(".facts", result).hidden = state !== "done";
  find(".command", result).hidden = state !== "done";
  find(".tools", result).hidden = state === "empty";
  for (const id of ["favourite", "variations", "sizes"]) find(`#${id}`).hidden = state !== "done";
  for (const id of ["mix", "morph"]) find(`#${id}`).hidden = state !== "blend";
}

function lightUp(avatar) {
  glow.src = avatar.thumb_url;
  glow.hidden = false;
}

function chip(name, value, wish) {
  const item = document.createElement("li");
  item.className = "chip";
  if (!(name in wish)) {
    item.dataset.chance = "";
    item.title = "left to chance";
  }
  const words = document.createElement("span");
  words.textContent = `${value} ${name}`;
  item.append(...[dabOf(name, value)].filter(Boolean), words);
  return item;
}

/** The link to download it in one size. */
function offer(link, avatar) {
  const size = Number(link.textContent);
  link.hidden = size > avatar.width;
  link.href = `${avatar.image_url}?size=${size}`;
  link.download = `irodori-${avatar.id}-${size}.png`;
}

/** What asks for the same in Discord, or for one like it where it was made from others. */
function commandLine(avatar) {
  const option = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}_]+/gu, "-").replace(/^-|-$/g, "");
  const asked = Object.entries(avatar.wish).map(([name, value]) => `${option(name)}:${value}`);
  if (!avatar.parents.length) asked.push(`seed:${avatar.seed}`, `size:${avatar.width}`);
  return ["/avatar", ...asked].join(" ");
}
