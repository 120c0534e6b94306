// Shared by all pages that show pictures.

import { say } from "./words.js";

/** The URL of a module of this version, for a worker. */
export const urlOfModule = (name) => new URL(name, import.meta.url);

// Addresses on this site. Those that the API returns have the site's public name, under which the
// page may not have been opened.
export const pageOf = ({ id }) => `/a/${id}`;
export const imageOf = ({ id }) => `/images/${id}.png`;
export const thumbOf = ({ id }) => `/thumbs/${id}.webp`;

/** A tile of the gallery from the page's template. */
export function tile({ id, alt, favourites }) {
  const item = document.querySelector("#new-tile").content.firstElementChild.cloneNode(true);
  item.querySelector("a").href = pageOf({ id });
  const image = item.querySelector("img");
  image.alt = alt;
  image.src = thumbOf({ id });
  const count = item.querySelector(".loved");
  count.hidden = !favourites;
  count.querySelector("span").textContent = favourites;
  return item;
}

/** Opens a dialog; whether it was closed with its button "yes". */
export function confirm(dialog) {
  dialog.returnValue = ""; // in some browsers, Escape leaves the value of the last time
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}

const READ_TIMEOUT = 20_000; // milliseconds; after a network gap, a connection may stay silent for ever

/** The response's JSON, or null without a body. Throws an Error with a readable message. */
export async function request(url, method = "GET", body = undefined) {
  const reads = method === "GET";
  const controller = new AbortController();
  const timer = reads && setTimeout(() => controller.abort(), READ_TIMEOUT);
  try {
    const response = await fetch(url, {
      method,
      headers: reads ? {} : { "content-type": "application/json" },
      body: reads ? undefined : JSON.stringify(body ?? {}),
      signal: controller.signal,
    }).catch(() => {
      throw new Error(say("script-request-silent"));
    });
    if (response.status === 204) return null;
    const content = await response.json().catch(() => ({ error: say("script-request-incomplete") }));
    if (!response.ok || content.error) throw new Error(content.error);
    return content;
  } finally {
    clearTimeout(timer);
  }
}
