// What a face is painted from: the same as on the server, from the same seed. The functions are
// those of bot/inference/latents.py, bot/inference/conditions.py, export/directions.py and
// export/candidates.py.

import { RandomState } from "./random.js";

const VARIATION_ANGLE = 0.6; // between a variation and its parent

/** Latents Float32Array [Z] of the candidates. */
export function drawCandidates(seed, count, latentDim) {
  const random = new RandomState(seed);
  return Array.from({ length: count }, () => drawLatent(random, latentDim));
}

const drawLatent = (random, length) => Float32Array.from({ length }, () => random.normal());

/** The wish with values of the other attributes, drawn with their frequencies. */
export function completeWish(wish, seed, attributes) {
  const values = attributes.map(({ name, values, frequencies }, index) => {
    if (name in wish) return [name, wish[name]];
    let sum = 0;
    const shares = frequencies.map((share) => (sum += share));
    const drawn = new RandomState([seed, index]).double() * sum;
    const chosen = shares.findIndex((share) => share > drawn);
    return [name, values[chosen < 0 ? values.length - 1 : chosen]];
  });
  return Object.fromEntries(values);
}

/** Float32Array [C]: the attributes' one-hot blocks one after the other. */
export function encode(conditions, attributes) {
  const blocks = attributes.map(({ name, values }) => values.map((value) => Number(value === conditions[name])));
  return Float32Array.from(blocks.flat());
}

/** The latent moved to the positions `shape`, by direction, from -1 to 1. */
export function move(latent, shape, directions) {
  const moved = Float64Array.from(latent);
  for (const [name, position] of Object.entries(shape)) {
    const { vector, range } = directions.find((direction) => direction.name === name);
    const change = position * range - dot(moved, vector);
    for (let i = 0; i < moved.length; i++) moved[i] += change * vector[i];
  }
  return Float32Array.from(moved);
}

/** The latent's positions on the directions, from -1 to 1. */
export function positions(latent, directions) {
  const at = ({ vector, range }) => Math.min(Math.max(dot(latent, vector) / range, -1), 1);
  return Object.fromEntries(directions.map((direction) => [direction.name, at(direction)]));
}

/** A latent near another one. */
export function perturb(latent, seed) {
  const random = new RandomState([seed, 3]);
  const [cosine, sine] = [Math.cos(VARIATION_ANGLE), Math.sin(VARIATION_ANGLE)];
  return latent.map((number) => cosine * number + sine * random.normal());
}

/** Spherical interpolation: `a` at share 0, `b` at 1. */
export function slerp(a, b, share) {
  const cosine = dot(a, b) / Math.max(Math.sqrt(dot(a, a) * dot(b, b)), 1e-12);
  const angle = Math.acos(Math.min(Math.max(cosine, -1), 1));
  const sine = Math.sin(angle);
  const weights = sine < 1e-6 ? [1 - share, share] : [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return a.map((number, i) => weights[0] * number + weights[1] * b[i]);
}

/** Linear interpolation of conditions. */
export const fade = (a, b, share) => a.map((number, i) => number + share * (b[i] - number));

/** Index of the highest score, of which three decimals count, as the server's float32 rounds them. */
export function bestCandidate(scores) {
  const rounded = Float32Array.from(scores, (score) => roundEven(Math.fround(score * 1000)) / 1000);
  return rounded.indexOf(Math.max(...rounded));
}

function roundEven(number) {
  const floor = Math.floor(number);
  if (number - floor !== 0.5) return Math.round(number);
  return floor % 2 ? floor + 1 : floor;
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
