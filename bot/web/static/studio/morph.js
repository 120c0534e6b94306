// The morph of two faces: a strip of frames, one of which the slider selects.

import { fetchFile } from "./api.js";
import { find } from "./dom.js";
import { describe, say } from "../words.js";

const canvas = find(".between");
const slider = find("#share");
const FRAMES = 17;

let frames; // one bitmap, the frames side by side
let size;
let names = ["", ""];

slider.addEventListener("input", draw);

/** Fetches the transition from a to b; nothing is shown yet. */
export async function load(a, b) {
  const query = new URLSearchParams({ a: a.id, b: b.id, frames: FRAMES });
  const response = await fetchFile(`/api/transition?${query}`);
  const bitmap = await createImageBitmap(await response.blob());
  return { bitmap, size: Number(response.headers.get("x-frame-size")), pair: [a, b] };
}

export function show(transition) {
  frames?.close();
  frames = transition.bitmap;
  size = transition.size;
  names = transition.pair.map(describe);
  canvas.width = size;
  canvas.height = size;
  canvas.setAttribute("aria-label", say("script-studio-between", { a: names[0], b: names[1] }));
  slider.value = 50;
  draw();
}

/** Draws the slider's position, fading between neighboring frames. */
function draw() {
  const share = Number(slider.value) / 100;
  const last = frames.width / size - 1;
  const position = share * last;
  const first = Math.min(Math.floor(position), last - 1);
  const context = canvas.getContext("2d");
  for (const [frame, alpha] of [[first, 1], [first + 1, position - first]]) {
    context.globalAlpha = alpha;
    context.drawImage(frames, frame * size, 0, size, size, 0, 0, size, size);
  }
  const shares = { first: 100 - slider.value, a: names[0], second: Number(slider.value), b: names[1] };
  slider.setAttribute("aria-valuetext", say("script-studio-shares", shares));
}
