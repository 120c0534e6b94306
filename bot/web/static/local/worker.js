// Paints in the browser, beside the page: the model's networks in ONNX Runtime, one run after the
// other. The page sends {id, name, argument} and gets {id, result} or {id, error}.

import { bestCandidate } from "./faces.js";

let ort;
let networks; // generator, scorer and upscaler; the latter two may be missing
let latest = Promise.resolve(); // a session cannot run twice at the same time

const METHODS = {
  /** Loads the model; false if the backend does not work here, and WebAssembly paints. */
  async open({ model, runtime, backend }) {
    ort = await import(runtime.script.url);
    ort.env.wasm.wasmPaths = { wasm: runtime.binary.url };
    ort.env.wasm.numThreads = 1; // more need headers that would forbid links to other sites
    ort.env.logLevel = "error";
    const files = {};
    for (const [name, file] of Object.entries(model.files)) files[name] = await load(file);
    networks = await create(files, "wasm");
    const accelerated = backend === "wasm" ? networks : await accelerate(files, model, backend);
    networks = accelerated ?? networks;
    return accelerated !== null;
  },

  /** Paints the candidates, and keeps the best: a PNG, and the candidate's number. */
  async paint({ latents, condition }) {
    const { best, ...image } = await paintLarge(networks, latents, condition);
    return { png: await encodePng(image), width: image.size, best };
  },

  /** The pixels of a face, small or large, as RGBA. */
  async frame({ latent, condition, large }) {
    const paint = large ? paintLarge : paintSmall;
    const { data, size } = await paint(networks, [latent], condition);
    return { pixels: toRgba(data), size };
  },
};

addEventListener("message", ({ data: { id, name, argument } }) => {
  latest = latest.then(async () => {
    try {
      postMessage({ id, result: await METHODS[name](argument) });
    } catch (error) {
      postMessage({ id, error: error.message });
    }
  });
});

/** The file, whose content is checked: it must be that of its sum. */
async function load({ url, sha256 }) {
  const bytes = sha256.match(/../g).map((hex) => parseInt(hex, 16));
  const response = await fetch(url, { integrity: `sha256-${btoa(String.fromCharCode(...bytes))}` });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function create(files, backend) {
  const sessions = {};
  for (const [name, file] of Object.entries(files)) {
    sessions[name] = await ort.InferenceSession.create(file, { executionProviders: [backend] });
  }
  return sessions;
}

/** The networks on another backend, if it works and paints the same face. */
async function accelerate(files, model, backend) {
  const face = [[new Float32Array(model.latent_dim).fill(0.5)], firstCondition(model)];
  const expected = await paintLarge(networks, ...face);
  try {
    const accelerated = await create(files, backend);
    const { data } = await paintLarge(accelerated, ...face);
    return data.every((value, i) => Math.abs(value - expected.data[i]) <= 1) ? accelerated : null;
  } catch (error) {
    console.warn(error);
    return null;
  }
}

const firstCondition = ({ attributes }) => Float32Array.from(attributes.flatMap(({ values }) => values.map((_, i) => Number(i === 0))));

async function run(session, inputs) {
  const outputs = await session.run(inputs);
  return outputs[session.outputNames[0]];
}

/** RGB of the best candidate, as large as the generator paints; `unrounded` is for the upscaler. */
async function paintSmall({ generator, scorer }, latents, condition) {
  const n = latents.length;
  const repeat = (row, type = "float32") => new ort.Tensor(type, Float32Array.from({ length: n * row.length }, (_, i) => row[i % row.length]), [n, row.length]);
  const conditions = repeat(condition);
  const latent = new ort.Tensor("float32", Float32Array.from(latents.flatMap((one) => [...one])), [n, latents[0].length]);
  const outputs = await generator.run({ latent, condition: conditions });
  const images = outputs[generator.outputNames[0]];
  const { unrounded = images } = outputs; // models of earlier versions have only one output
  const best = n > 1 && scorer ? bestCandidate((await run(scorer, { image: images, condition: conditions })).data) : 0;
  const [, size] = images.dims;
  const length = size * size * 3;
  const part = ({ data }) => data.slice(best * length, (best + 1) * length);
  return { data: part(images), unrounded: part(unrounded), size, best };
}

/** RGB of the best candidate, upscaled. */
async function paintLarge(networks, latents, condition) {
  const small = await paintSmall(networks, latents, condition);
  if (!networks.upscaler) return small;
  const { type } = networks.upscaler.inputMetadata[0]; // uint8 in earlier versions
  const values = type === "float32" ? Float32Array.from(small.unrounded) : small.data;
  const image = new ort.Tensor(type, values, [1, small.size, small.size, 3]);
  const { data, dims } = await run(networks.upscaler, { image });
  return { data, size: dims[1], best: small.best };
}

function toRgba(rgb) {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from];
    rgba[to + 1] = rgb[from + 1];
    rgba[to + 2] = rgb[from + 2];
  }
  return rgba;
}

async function encodePng({ data, size }) {
  const canvas = new OffscreenCanvas(size, size);
  canvas.getContext("2d").putImageData(new ImageData(toRgba(data), size, size), 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/png" });
  return new Uint8Array(await blob.arrayBuffer());
}
