// Requests to the bot. Errors have messages that can be shown to visitors.

import { say } from "../words.js";

export async function get(url, options) {
  return read(await request(url, options));
}

export async function post(url, body = {}) {
  return read(await request(url, withBody(body)));
}

/** Sends a file. */
export async function postFile(url, blob) {
  return read(await request(url, { method: "POST", headers: { "content-type": blob.type }, body: blob }));
}

/** The response itself, for what is no JSON; to a POST if there is a body. */
export async function fetchFile(url, body) {
  const response = await request(url, body && withBody(body));
  if (!response.ok) await read(response);
  return response;
}

function withBody(body) {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

async function request(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(say("script-request-silent"));
  }
}

async function read(response) {
  const body = await response.json().catch((error) => {
    throw error.name === "AbortError" ? error : new Error(say("script-request-incomplete"));
  });
  if (!response.ok) throw new Error(body.error);
  return body;
}

/** A picture, decoded and ready to be shown. */
export async function loadImage(url, alt, size) {
  const image = new Image(size, size);
  image.alt = alt;
  image.src = url;
  await image.decode().catch(() => {
    throw new Error(say("script-request-picture"));
  });
  return image;
}
