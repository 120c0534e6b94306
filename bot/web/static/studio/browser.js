// Painting in this browser. A worker paints with the bot's model, from the same seeds the same faces;
// a service worker keeps what is needed, also offline. The pictures stay in this browser until they
// are kept: then the bot paints them again, from the recipe in their files.

import { get, postFile } from "./api.js";
import { find, form } from "./dom.js";
import { imageOf, urlOfModule } from "../common.js";
import * as faces from "../local/faces.js";
import { addRecipe, decodeLatent, encodeLatent, readRecipe } from "../local/recipe.js";

const CHOSEN = "irodori-browser"; // in localStorage: the backend, while the switch is on
const PICTURES = "irodori-pictures"; // the cache that the service worker serves
const MAX_PICTURES = 100;
const SEEDS = 2 ** 32;
const VARIATIONS = 9;

const box = find("#browser"); // null where browsers cannot paint
const toggle = box && find("input", box);
export const words = box?.dataset ?? {};

let model; // of the package
let worker;
let loading = null; // a promise of the backend of the loaded worker
const waiting = new Map(); // by number of a call: its promise's functions
let calls = 0;

/** A defect of this browser, not of the request: the bot can paint instead. */
class BrowserFailure extends Error {}

export const isOn = () => Boolean(toggle?.checked);

/** Follows the switch, and what it was on the last visit. */
export function start() {
  if (!box) return;
  if (!isSecureContext || !navigator.serviceWorker || !globalThis.OffscreenCanvas) {
    box.hidden = true; // no service worker without HTTPS
    return;
  }
  toggle.addEventListener("change", () => {
    if (toggle.checked) return turnOn();
    remember(null);
    showNote(words.off);
  });
  toggle.checked = "start" in words || remembered() !== null;
  if (toggle.checked) turnOn();
}

async function turnOn() {
  showNote(words.loading);
  try {
    remember(await load());
    showNote(navigator.onLine && !("start" in words) ? words.on : words.offline);
  } catch (error) {
    fail(error);
  }
}

/** Turns the switch off after a failure; the bot paints. */
export function fail(error) {
  console.warn(error);
  toggle.checked = false;
  remember(null);
  showNote(words.failed);
}

export const isFailure = (error) => error instanceof BrowserFailure;

// Faces --------------------------------------------------------------------------------------

/** Pictures of a prompt; `body` is that of POST /api/avatars. */
export async function create({ prompt, count = 1, seed = crypto.getRandomValues(new Uint32Array(1))[0] }) {
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEEDS) throw new Error(words.seed);
  await load();
  const { wish, shape } = await readPrompt(prompt);
  const pictures = [];
  for (let i = 0; i < count; i++) {
    const own = (seed + i) % SEEDS;
    const latents = faces.drawCandidates(own, model.candidates, model.latent_dim);
    const conditions = faces.completeWish(wish, own, model.attributes);
    const face = { prompt: prompt.trim(), wish, conditions, seed: own, parents: [] };
    pictures.push(await paint(face, latents.map((latent) => faces.move(latent, shape, model.directions))));
  }
  return pictures;
}

/** The same face with other values. */
export async function recolor(avatar, changes) {
  const { latent, conditions, ...face } = await read(avatar);
  const wish = { ...avatar.wish, ...changes };
  const prompt = Object.entries(wish).map(([name, value]) => `${name}:${value}`).join(" ");
  return [await paint({ ...face, prompt, wish, conditions: { ...conditions, ...changes } }, [latent])];
}

/** The same face with another shape. */
export async function reshape(avatar, shape) {
  const { latent, ...face } = await read(avatar);
  return [await paint(face, [faces.move(latent, shape, model.directions)])];
}

/** Similar faces with the same values. */
export async function vary(avatar) {
  const { latent, ...face } = await read(avatar);
  const seeds = crypto.getRandomValues(new Uint32Array(VARIATIONS));
  const pictures = [];
  for (const seed of seeds) pictures.push(await paint({ ...face, seed }, [faces.perturb(latent, seed)]));
  return pictures;
}

/** What frames are painted from; null if this browser does not paint frames of this picture. */
export async function sourceOf(avatar) {
  if (!avatar.local && !isOn()) return null;
  try {
    const { latent, conditions } = await read(avatar);
    const condition = faces.encode(conditions, model.attributes);
    return { latent, condition, shape: faces.positions(latent, model.directions) };
  } catch (error) {
    if (avatar.local) throw error;
    return null;
  }
}

/** A bitmap of a source, moved to a shape; `large` takes longer. */
export const frame = ({ latent, condition }, shape, large) =>
  paintFrame(faces.move(latent, shape, model.directions), condition, large);

/** A bitmap between two sources. */
export const frameBetween = (a, b, share, large) =>
  paintFrame(faces.slerp(a.latent, b.latent, share), faces.fade(a.condition, b.condition, share), large);

/** The pictures of this browser, the newest first. */
export async function stored() {
  if (!box || !globalThis.caches) return [];
  const cache = await caches.open(PICTURES);
  const files = await Promise.all((await cache.keys()).map(async (url) => (await cache.match(url)).arrayBuffer()));
  return files.map(readRecipe).map(avatarOf).reverse();
}

const avatarOf = ({ id, prompt, wish, conditions, seed, model, size, parents }) =>
  ({ id, prompt, wish, conditions, seed, model, width: size, parents, choices: null, local: true });

/** Has the bot paint and store a picture of this browser; returns the bot's. */
export async function keep(avatar) {
  const picture = await fetch(imageOf(avatar));
  const { avatar: kept } = await postFile("/api/open", await picture.blob());
  const cache = await caches.open(PICTURES);
  await cache.delete(imageOf(avatar));
  showNote(words.kept);
  return { ...kept, parents: kept.parents ?? [] };
}

/** How a prompt is understood. With the switch on, without a request if it names values as the
 *  swatches do. */
export async function readPrompt(prompt, options) {
  const wish = isOn() && model ? readValues(prompt) : null;
  if (wish) return { wish, shape: {}, unused: [] };
  try {
    return await get(`/api/wish?${new URLSearchParams({ prompt })}`, options);
  } catch (error) {
    throw navigator.onLine ? error : new Error(words.prompt);
  }
}

function readValues(prompt) {
  let rest = ` ${prompt.toLowerCase().replace(/[,、，\s]+/g, " ")} `;
  const wish = {};
  for (const { name, values } of model.attributes) {
    for (const value of values) {
      const forms = [wordsOf(name, value), `${name}:${value}`, `${value} ${name}`];
      const said = forms.find((text) => text && rest.includes(` ${text.toLowerCase()} `));
      if (!said || name in wish) continue;
      wish[name] = value;
      rest = rest.replace(` ${said.toLowerCase()} `, " ");
    }
  }
  return rest.trim() === "" ? wish : null;
}

/** What the swatch of a value writes. */
function wordsOf(name, value) {
  const swatches = [...form.querySelectorAll(".swatch input")];
  const isOf = (swatch) => swatch.name === form.dataset.prefix + name && swatch.value === value;
  return swatches.find(isOf)?.dataset.words ?? "";
}

/** What a picture was painted from. Throws an Error if it was by another model. */
async function read(avatar) {
  await load();
  const recipe = readRecipe(await (await fetch(imageOf(avatar))).arrayBuffer());
  if (recipe?.generator_sha256 !== model.files.generator.sha256) throw new Error(words.otherModel);
  const { prompt, wish, conditions, seed } = avatar;
  return { prompt, wish, conditions, seed, latent: decodeLatent(recipe.latent), parents: [avatar.id] };
}

/** Paints the best of the candidates, and stores it in this browser. */
async function paint({ prompt, wish, conditions, seed, parents }, latents) {
  const condition = faces.encode(conditions, model.attributes);
  const { png, width, best } = await call("paint", { latents, condition });
  const id = `local${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => (byte % 36).toString(36)).join("")}`;
  const recipe = {
    ...{ version: 1, id, prompt, wish, conditions, seed, parents, size: width },
    ...{ latent: encodeLatent(latents[best]), model: model.name, generator_sha256: model.files.generator.sha256 },
  };
  const avatar = avatarOf(recipe);
  const cache = await caches.open(PICTURES);
  await cache.put(imageOf(avatar), new Response(addRecipe(png, recipe)));
  const stored = await cache.keys();
  for (const old of stored.slice(0, Math.max(0, stored.length - MAX_PICTURES))) await cache.delete(old);
  return avatar;
}

async function paintFrame(latent, condition, large) {
  const { pixels, size } = await call("frame", { latent, condition, large });
  return createImageBitmap(new ImageData(pixels, size, size));
}

// Loading ------------------------------------------------------------------------------------

function load() {
  loading ??= open().catch((error) => {
    loading = null;
    worker?.terminate();
    throw new BrowserFailure(error.message);
  });
  return loading;
}

/** Starts the worker; returns its backend. */
async function open() {
  const backend = await chooseBackend();
  if (await openWith(backend)) return backend;
  await openWith("wasm"); // its files alone paint faster than those of both backends
  return "wasm";
}

/** Starts a worker with this backend; false if the backend does not work here. */
async function openWith(backend) {
  await installOffline(backend);
  worker?.terminate();
  const content = await get(words.package);
  model = content.model;
  worker = new Worker(urlOfModule("local/worker.js"), { type: "module" });
  worker.addEventListener("message", ({ data: { id, result, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new BrowserFailure(error));
  });
  const broken = new Promise((_, reject) => {
    worker.addEventListener("error", (event) => reject(new Error(event.message ?? "worker")));
  });
  return Promise.race([call("open", { model, runtime: content.runtimes[backend], backend }), broken]);
}

/** WebGPU on a graphics card; software would be slower than WebAssembly. */
async function chooseBackend() {
  if (remembered() === "wasm") return "wasm"; // files that are stored, maybe offline
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return adapter && !(adapter.info ?? adapter).isFallbackAdapter ? "webgpu" : "wasm";
}

/** Waits until a service worker has stored everything, and serves this page. */
async function installOffline(backend) {
  const { serviceWorker } = navigator;
  const registration = await serviceWorker.register(`/service-worker.js?backend=${backend}`);
  const installing = registration.installing ?? registration.waiting;
  if (installing && !registration.active) {
    await new Promise((resolve, reject) => {
      installing.addEventListener("statechange", () => {
        if (installing.state === "activated") resolve();
        if (installing.state === "redundant") reject(new Error("service-worker"));
      });
    });
  }
  if (serviceWorker.controller) return;
  const served = new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  (await serviceWorker.ready).active.postMessage("claim");
  await served;
}

function call(name, argument) {
  const id = calls++;
  worker.postMessage({ id, name, argument });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

// The switch ---------------------------------------------------------------------------------

function showNote(text) {
  find(".help", box).textContent = text;
}

function remembered() {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}

function remember(backend) {
  try {
    if (backend) localStorage.setItem(CHOSEN, backend);
    else localStorage.removeItem(CHOSEN);
  } catch {
    // Storage is disabled: the switch is off on the next visit.
  }
}
