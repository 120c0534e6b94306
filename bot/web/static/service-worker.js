// Keeps what the studio needs to paint without the bot, and shows the pictures of this browser.
// The server writes VERSION and FILES before this line. All URLs in FILES contain a version or a
// sum: what is stored under one never changes.

const CACHE = `irodori-${VERSION}`;
const PICTURES = "irodori-pictures";
const OFFLINE = "/offline";

addEventListener("install", (event) => event.waitUntil(install().then(() => skipWaiting())));

addEventListener("activate", (event) => event.waitUntil(activate()));

// A page that was loaded without this worker, by a forced reload, asks to be served.
addEventListener("message", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const picture = /^\/(?:images|thumbs)\/(local[a-z0-9]+)\./.exec(url.pathname);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (picture) event.respondWith(fromCache(PICTURES, `/images/${picture[1]}.png`));
  else if (FILES.includes(url.pathname)) event.respondWith(fromCache(CACHE, url.pathname));
  else if (event.request.mode === "navigate") event.respondWith(navigate(event.request, url));
});

async function install() {
  const cache = await caches.open(CACHE);
  const stored = await Promise.all(FILES.map((url) => caches.match(url))); // of older versions
  await Promise.all(FILES.map(async (url, i) => cache.put(url, stored[i] ?? (await download(url)))));
  await cache.put(OFFLINE, await download(OFFLINE, { cache: "no-store" }));
}

async function download(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

async function activate() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("irodori-") && name !== CACHE && name !== PICTURES);
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

async function fromCache(name, url) {
  const cache = await caches.open(name);
  return (await cache.match(url)) ?? fetch(url);
}

/** The bot's page; without the bot, the studio. */
async function navigate(request, url) {
  try {
    return await fetch(request);
  } catch {
    if (url.pathname !== "/") return Response.redirect("/");
    return fromCache(CACHE, OFFLINE);
  }
}
