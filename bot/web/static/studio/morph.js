// The morph of two faces: the slider selects a frame, of a strip from the bot or painted in this
// browser.

import { fetchFile } from "./api.js";
import * as browser from "./browser.js";
import { find } from "./dom.js";
import { describe, say } from "../words.js";

const canvas = find(".between");
const slider = find("#share");
const FRAMES = 17;

let shown; // the transition
let names = ["", ""];
let painting = false; // one frame at a time: the next one shows the newest position

slider.addEventListener("input", draw);

/** Loads the transition from a to b; nothing is shown yet. */
export async function load(a, b) {
  const sources = [await browser.sourceOf(a), await browser.sourceOf(b)];
  if (sources.every(Boolean)) return { sources, pair: [a, b] };
  if (a.local || b.local) throw new Error(browser.words.otherModel);
  const query = new URLSearchParams({ a: a.id, b: b.id, frames: FRAMES });
  const response = await fetchFile(`/api/transition?${query}`);
  const bitmap = await createImageBitmap(await response.blob());
  return { bitmap, size: Number(response.headers.get("x-frame-size")), pair: [a, b] };
}

export function show(transition) {
  shown?.bitmap?.close();
  shown = transition;
  names = transition.pair.map(describe);
  if (transition.bitmap) canvas.width = canvas.height = transition.size;
  canvas.setAttribute("aria-label", say("script-studio-between", { a: names[0], b: names[1] }));
  slider.value = 50;
  draw();
}

/** Draws the slider's position. */
function draw() {
  const share = Number(slider.value) / 100;
  if (shown.bitmap) drawStrip(share);
  else paintFrame();
  const shares = { first: 100 - slider.value, a: names[0], second: Number(slider.value), b: names[1] };
  slider.setAttribute("aria-valuetext", say("script-studio-shares", shares));
}

/** Fades between neighboring frames. */
function drawStrip(share) {
  const { bitmap, size } = shown;
  const last = bitmap.width / size - 1;
  const position = share * last;
  const first = Math.min(Math.floor(position), last - 1);
  const context = canvas.getContext("2d");
  for (const [frame, alpha] of [[first, 1], [first + 1, position - first]]) {
    context.globalAlpha = alpha;
    context.drawImage(bitmap, frame * size, 0, size, size, 0, 0, size, size);
  }
}

/** Paints a small frame, and a large one when the slider rests. */
async function paintFrame(large = false) {
  if (painting) return;
  painting = true;
  const [transition, position] = [shown, slider.value];
  try {
    const frame = await browser.frameBetween(...transition.sources, position / 100, large);
    if (transition === shown) {
      canvas.width = canvas.height = frame.width;
      canvas.getContext("2d").drawImage(frame, 0, 0);
    }
    frame.close();
  } finally {
    painting = false;
  }
  if (shown.bitmap) return;
  if (transition !== shown || position !== slider.value) await paintFrame();
  else if (!large) await paintFrame(true);
}
