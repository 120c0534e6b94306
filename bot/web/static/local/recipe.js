// Recipes in PNG files, as in bot/studio/recipes.py: what a picture was painted from.

const KEYWORD = "irodori\0";
const HEADER_END = 33; // of a PNG: the signature and the chunk IHDR

/** The PNG (Uint8Array) with the recipe in a tEXt chunk after its header. */
export function addRecipe(png, recipe) {
  // ASCII, as tEXt chunks are in Latin-1
  const json = JSON.stringify(recipe).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const chunk = new TextEncoder().encode(`tEXt${KEYWORD}${json}`);
  const framed = new Uint8Array(chunk.length + 8);
  const view = new DataView(framed.buffer);
  view.setUint32(0, chunk.length - 4);
  framed.set(chunk, 4);
  view.setUint32(chunk.length + 4, crc32(chunk));
  return new Blob([png.subarray(0, HEADER_END), framed, png.subarray(HEADER_END)], { type: "image/png" });
}

/** The recipe in a PNG (ArrayBuffer), or null. */
export function readRecipe(buffer) {
  const view = new DataView(buffer);
  for (let start = 8; start + 8 < buffer.byteLength; start += view.getUint32(start) + 12) {
    const text = new TextDecoder("latin1").decode(new Uint8Array(buffer, start + 4, view.getUint32(start) + 4));
    if (text.startsWith(`tEXt${KEYWORD}`)) return JSON.parse(text.slice(4 + KEYWORD.length));
  }
  return null;
}

/** Little-endian float32 in base64. */
export const encodeLatent = (latent) => btoa(String.fromCharCode(...new Uint8Array(latent.buffer)));
export const decodeLatent = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
