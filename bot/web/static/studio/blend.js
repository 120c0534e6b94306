// What lies between two faces: a strip of frames, scrubbed through.

import { fetchFile } from "./api.js";
import { find } from "./dom.js";
import { describe } from "../faces.js";

const canvas = find(".between");
const slider = find("#share");
const FRAMES = 17;

let frames; // one bitmap, the frames side by side
let size;
let names = ["", ""];

slider.addEventListener("input", draw);

/** Fetches the way from a to b; nothing is shown yet. */
export async function load(a, b) {
  const query = new URLSearchParams({ a: a.id, b: b.id, frames: FRAMES });
  const answer = await fetchFile(`/api/transition?${query}`);
  const bitmap = await createImageBitmap(await answer.blob());
  return { bitmap, size: Number(answer.headers.get("x-frame-size")), pair: [a, b] };
}

export function show(way) {
  frames?.close();
  frames = way.bitmap;
  size = way.size;
  names = way.pair.map(describe);
  canvas.width = size;
  canvas.height = size;
  canvas.setAttribute("aria-label", `Between ${names.join(" and ")}`);
  slider.value = 50;
  draw();
}

/** Between two frames the next one shines through: the way has no steps. */
function draw() {
  const share = Number(slider.value) / 100;
  const last = frames.width / size - 1;
  const place = share * last;
  const before = Math.min(Math.floor(place), last - 1);
  const pen = canvas.getContext("2d");
  for (const [frame, alpha] of [[before, 1], [before + 1, place - before]]) {
    pen.globalAlpha = alpha;
    pen.drawImage(frames, frame * size, 0, size, size, 0, 0, size, size);
  }
  const rest = 100 - slider.value;
  slider.setAttribute("aria-valuetext", `${rest} % ${names[0]}, ${slider.value} % ${names[1]}`);
}
