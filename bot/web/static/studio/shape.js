// The sliders that move a face along the directions of its model, with a live preview.

import { fetchFile, get } from "./api.js";
import * as browser from "./browser.js";
import { find, mayPaint, showError } from "./dom.js";
import { say } from "../words.js";

const button = find("#shape"); // null if the model in use has no directions
const panel = find("#sliders");
const canvas = find(".preview");
const sliders = panel ? [...panel.querySelectorAll("input")] : [];
const STEPS = 20; // of a slider, from the middle to an end
const PAUSE = 120; // milliseconds without a movement, after which a preview is requested

let shown; // the avatar on display
let start = {}; // its sliders' values, by direction
let source = null; // if this browser paints the previews: what from
let timer;
let requesting = false; // one preview at a time: the next one shows the newest positions

/** Calls `keep` with an avatar and its new shape. */
export function listen(keep) {
  if (!button) return;
  button.addEventListener("click", () => (panel.hidden ? open() : close()));
  for (const slider of sliders) slider.addEventListener("input", () => {
    describe(slider);
    updateButtons();
    clearTimeout(timer);
    timer = setTimeout(preview, source ? 0 : PAUSE);
  });
  find("#reset").addEventListener("click", () => {
    fill();
    sliders.find((slider) => slider.checkVisibility())?.focus();
  });
  find("#keep").addEventListener("click", () => keep(shown, changes()));
}

/** Follows the picture on display; null is none or several. */
export function follow(avatar) {
  if (!button) return;
  const changed = avatar?.id !== shown?.id;
  shown = avatar;
  button.hidden = !avatar;
  button.disabled = !mayPaint;
  if (!avatar) close();
  else if (changed && !panel.hidden) open();
}

async function open() {
  const avatar = shown;
  try {
    const own = await browser.sourceOf(avatar);
    const { shape } = own ?? (await get(`/api/avatars/${avatar.id}/shape`));
    if (avatar !== shown) return;
    source = own;
    if (!sliders.some(({ name }) => name in shape)) throw new Error(say("script-studio-no-directions"));
    start = Object.fromEntries(Object.entries(shape).map(([name, at]) => [name, Math.round(at * STEPS)]));
    for (const slider of sliders) slider.closest("label").hidden = !(slider.name in start);
    panel.hidden = false;
    button.ariaExpanded = "true";
    fill();
  } catch (error) {
    close();
    showError(error.message);
  }
}

function close() {
  panel.hidden = true;
  button.ariaExpanded = "false";
  hidePreview();
}

/** Sets the sliders to the shape of the avatar. */
function fill() {
  for (const slider of sliders) {
    slider.value = start[slider.name] ?? 0;
    describe(slider);
  }
  hidePreview();
  updateButtons();
}

function describe(slider) {
  slider.setAttribute("aria-valuetext", `${Math.round((100 * slider.value) / STEPS)} %`);
}

function updateButtons() {
  const changed = Object.keys(changes()).length > 0;
  find("#keep").disabled = !changed;
  find("#reset").disabled = !changed;
}

function changes() {
  const moved = sliders.filter(({ name, value }) => name in start && Number(value) !== start[name]);
  return Object.fromEntries(moved.map(({ name, value }) => [name, value / STEPS]));
}

function hidePreview() {
  clearTimeout(timer);
  canvas.hidden = true;
}

async function preview(large = false) {
  if (requesting) return;
  const avatar = shown;
  const shape = changes();
  const wanted = JSON.stringify(shape);
  if (wanted === "{}") return hidePreview();
  requesting = true;
  try {
    const bitmap = source ? await browser.frame(source, shape, large) : await fetchPreview(avatar, shape);
    if (avatar === shown && !panel.hidden && Object.keys(changes()).length) {
      canvas.width = canvas.height = bitmap.width;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      canvas.hidden = false;
    }
    bitmap.close();
    showError("");
  } catch (error) {
    showError(error.message);
    return;
  } finally {
    requesting = false;
  }
  if (avatar !== shown || panel.hidden) return;
  if (JSON.stringify(changes()) !== wanted) await preview();
  else if (source && !large) await preview(true); // the sliders rest
}

async function fetchPreview(avatar, shape) {
  const response = await fetchFile(`/api/avatars/${avatar.id}/shape/preview`, { shape });
  return createImageBitmap(await response.blob());
}
