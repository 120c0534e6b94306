// The page works without this file: then it has links to older and newer pictures. With it, the
// wall has no end, and what was just painted appears by itself.

import { ask, describe, tile } from "./faces.js";

const AHEAD = 1.5; // windows, above and below, that have their tiles; further ones are padding
const KEPT = 40; // pages, on either side, of which the ids are remembered

const find = (selector) => document.querySelector(selector);
const wall = find("#wall");
const news = find("#news");
const herald = find("#herald");
const { sort } = wall.dataset;
const shown = JSON.parse(wall.dataset.shown);

// What there is -------------------------------------------------------------------------------
//
// Pages as the API gives them, from the newest on: {cursor, size, faces}, faces being null for a
// page that was forgotten. Before them are faces that were painted since the first page was read.

const cursorOf = (link) => link && new URL(link.href).searchParams.get("cursor");
const fresh = [];
const pages = [
  { cursor: new URLSearchParams(location.search).get("cursor"), faces: [...wall.children].map(faceOf) },
];
pages[0].size = pages[0].faces.length;
let older = cursorOf(find("#older a"));
let newer = cursorOf(find("#newer a"));

function faceOf(item) {
  const image = item.querySelector("img");
  const id = item.querySelector("a").getAttribute("href").split("/").pop();
  return { id, alt: image.alt, favourites: Number(item.querySelector(".loved").textContent) };
}

const faceFrom = (avatar) => ({ id: avatar.id, alt: describe(avatar), favourites: avatar.favourites });

function read(cursor) {
  const query = new URLSearchParams({ ...shown, sort, ...(cursor && { cursor }) });
  return ask(`/api/avatars?${query}`);
}

const total = () => pages.reduce((sum, page) => sum + page.size, fresh.length);

/** [page, index in it] of the picture at this place; the page is null for a fresh one. */
function locate(index) {
  if (index < fresh.length) return [null, index];
  index -= fresh.length;
  for (const page of pages) {
    if (index < page.size) return [page, index];
    index -= page.size;
  }
  return [pages.at(-1), pages.at(-1).size - 1];
}

function faceAt(index) {
  const [page, place] = locate(index);
  return page ? page.faces?.[place] : fresh[place];
}

const knows = (id) =>
  [{ faces: fresh }, ...pages].some(({ faces }) => faces?.some((face) => face.id === id));

// What is in sight ----------------------------------------------------------------------------

let columns;
let pitch; // pixels from one row to the next

function measure() {
  const style = getComputedStyle(wall);
  columns = style.gridTemplateColumns.split(" ").length;
  const gap = parseFloat(style.rowGap);
  pitch = (wall.clientWidth + gap) / columns;
}

const rows = () => Math.ceil(total() / columns);
const wallTop = () => wall.getBoundingClientRect().top;
const topRow = () => Math.min(Math.max(0, Math.floor(-wallTop() / pitch)), Math.max(0, rows() - 1));

const nodes = new Map(); // by id, or by place for one that is forgotten

function draw() {
  const reach = AHEAD * innerHeight;
  const first = Math.max(0, Math.floor((-wallTop() - reach) / pitch));
  const last = Math.min(rows(), Math.ceil((-wallTop() + innerHeight + reach) / pitch));
  const wanted = new Map();
  const forgotten = new Set();
  for (let i = first * columns; i < Math.min(total(), last * columns); i++) {
    const face = faceAt(i);
    if (!face) forgotten.add(locate(i)[0]);
    const key = face?.id ?? `blank ${i}`;
    wanted.set(key, nodes.get(key) ?? (face ? tile(face) : blank()));
  }
  for (const [key, node] of nodes) if (!wanted.has(key)) node.remove();
  // Nodes that stay are not moved: that would take the keyboard's focus from them.
  let next = wall.firstElementChild;
  for (const node of wanted.values()) {
    if (node === next) next = next.nextElementSibling;
    else wall.insertBefore(node, next);
  }
  nodes.clear();
  for (const [key, node] of wanted) nodes.set(key, node);
  wall.style.paddingTop = `${first * pitch}px`;
  wall.style.paddingBottom = `${Math.max(0, rows() - last) * pitch}px`;
  for (const page of forgotten) recall(page);
  if (older && last >= rows()) extend();
  if (newer && climbing && first === 0) climb();
}

function blank() {
  const item = document.createElement("li");
  item.className = "blank";
  return item;
}

/** Changes what there is, and leaves what is in sight where it is, unless that is the top. */
function change(edit) {
  const [index, before] = [topRow() * columns, total()];
  const face = total() && faceAt(index);
  const offset = wallTop() + topRow() * pitch;
  const inside = wallTop() < 0;
  edit();
  if (inside && face && total() > before) {
    const place = placeOf(face.id);
    scrollBy(0, wallTop() + Math.floor(place / columns) * pitch - offset);
  }
  draw();
}

function placeOf(id) {
  let start = 0;
  for (const { faces, size } of [{ faces: fresh, size: fresh.length }, ...pages]) {
    const place = faces?.findIndex((face) => face.id === id) ?? -1;
    if (place >= 0) return start + place;
    start += size;
  }
  return -1;
}

// More of it ----------------------------------------------------------------------------------

let loading = null;
let failed = false;
let climbing = false; // newer pages come by themselves only for somebody who goes there

/** One at a time; where it fails the link stays, for the browser to follow. */
function once(load) {
  loading ??= load()
    .catch(() => {
      failed = true;
    })
    .finally(() => {
      loading = null;
      if (!failed) draw();
    });
  return loading;
}
const extend = () =>
  !failed &&
  once(async () => {
    const cursor = older;
    const page = await read(cursor);
    const faces = page.avatars.map(faceFrom).filter(({ id }) => !knows(id));
    older = page.older;
    pages.push({ cursor, faces, size: faces.length });
    const link = find("#older a");
    if (older) link.href = addressOf(older);
    else find("#older").remove();
  });

const climb = () =>
  !failed &&
  once(async () => {
    const cursor = newer;
    const page = await read(cursor);
    const faces = page.avatars.map(faceFrom).filter(({ id }) => !knows(id));
    newer = page.newer;
    change(() => pages.unshift({ cursor: newer ? cursor : null, faces, size: faces.length }));
    if (newer) find("#newer a").href = addressOf(newer);
    else leaveNewer();
  });

function leaveNewer() {
  const above = find("#newer").getBoundingClientRect().height;
  find("#newer").remove();
  scrollBy(0, -above);
  listen();
}

async function recall(page) {
  if (page.recalling) return;
  page.recalling = true;
  try {
    const { avatars } = await read(page.cursor);
    // As many as there were: everything below must stay in its place.
    page.faces = avatars.map(faceFrom).slice(0, page.size);
    page.size = page.faces.length;
    draw();
  } catch {
    setTimeout(() => draw(), 3000);
  } finally {
    page.recalling = false;
  }
}

function forget() {
  const here = pages.indexOf(locate(topRow() * columns)[0] ?? pages[0]);
  pages.forEach((page, i) => {
    if (page.cursor && Math.abs(i - here) > KEPT) page.faces = null;
  });
}

// Coming back ---------------------------------------------------------------------------------
//
// The address is that of the page that is in sight; the history remembers the tile and its place.

function addressOf(cursor) {
  const query = new URLSearchParams({ ...shown, ...(sort !== "new" && { sort }), ...(cursor && { cursor }) });
  return query.size ? `/gallery?${query}` : "/gallery";
}

function remember() {
  if (!total()) return;
  const index = topRow() * columns;
  const inside = wallTop() < 0;
  const state = inside
    ? { id: faceAt(index)?.id, top: wallTop() + topRow() * pitch }
    : { y: scrollY };
  const page = inside ? (locate(index)[0] ?? pages[0]) : pages[0];
  history.replaceState(state, "", addressOf(page.cursor));
}

async function comeBack(state) {
  if (state?.y) scrollTo(0, state.y);
  if (!state?.id || placeOf(state.id) < 0) return;
  const settle = () => {
    const place = Math.floor(placeOf(state.id) / columns);
    scrollTo(0, scrollY + wallTop() + place * pitch - state.top);
    draw();
  };
  // At once after each page, so that no frame shows the tile elsewhere.
  settle();
  if (newer) await climb();
  settle();
  if (older) await extend();
  settle();
}

// News ----------------------------------------------------------------------------------------

let source = null;
let unseen = 0;

/** Only while the page is looked at: a browser has few connections to a host. */
function listen() {
  const wish = sort === "new" && !newer && !document.hidden;
  if (wish && !source) {
    source = new EventSource("/api/events");
    source.addEventListener("open", catchUp);
    source.addEventListener("avatar", (event) => arrive([JSON.parse(event.data)]));
  } else if (!wish) {
    source?.close();
    source = null;
  }
}

/** What was painted while nobody listened. */
async function catchUp() {
  const page = await read(null).catch(() => null);
  if (!page) return;
  const known = page.avatars.findIndex(({ id }) => knows(id));
  arrive(page.avatars.slice(0, known < 0 ? undefined : known).reverse());
}

function arrive(avatars) {
  const faces = avatars
    .filter(({ conditions }) => Object.entries(shown).every(([name, value]) => conditions[name] === value))
    .map(faceFrom)
    .filter(({ id }) => !knows(id));
  if (!faces.length) return;
  if (!total()) return location.reload(); // the page says that there is nothing yet
  const inside = wallTop() < 0;
  change(() => fresh.unshift(...faces.reverse()));
  for (const { id } of faces) nodes.get(id)?.classList.add("fresh");
  const count = find("#count");
  count.dataset.count = Number(count.dataset.count) + faces.length;
  count.textContent = Number(count.dataset.count).toLocaleString("en");
  if (inside) {
    unseen += faces.length;
    herald.textContent = unseen === 1 ? "1 new picture" : `${unseen} new pictures`;
    herald.hidden = false;
    news.textContent = herald.textContent;
  } else {
    news.textContent = `New: ${faces[0].alt}.`;
  }
}

herald.addEventListener("click", () => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const far = -wallTop() > 4 * innerHeight;
  scrollTo({ top: 0, behavior: calm || far ? "auto" : "smooth" });
  wall.querySelector("a")?.focus({ preventScroll: true });
});

// All of it -----------------------------------------------------------------------------------

for (const item of wall.children) nodes.set(faceOf(item).id, item);
for (const chosen of document.querySelectorAll(".choice[aria-current]")) {
  const row = chosen.closest(".choices");
  row.scrollLeft = chosen.offsetLeft - row.clientWidth / 2;
}

let frame = 0;
let rest = 0;
let height = scrollY;
addEventListener("scroll", () => {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    climbing = scrollY < height;
    height = scrollY;
    if (wallTop() >= 0) {
      herald.hidden = true;
      unseen = 0;
    }
    draw();
  });
  clearTimeout(rest);
  rest = setTimeout(() => {
    forget();
    remember();
  }, 150);
});

new ResizeObserver(() => {
  const width = columns;
  const index = width && topRow() * columns;
  const inside = width && wallTop() < 0;
  measure();
  // Other columns: the same picture stays the first in sight.
  if (width && width !== columns && inside) {
    scrollBy(0, wallTop() + Math.floor(index / columns) * pitch);
  }
  draw();
}).observe(document.documentElement);

find("#newer")?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || failed) return;
  event.preventDefault();
  climb();
});
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => {
  remember();
  source?.close();
  source = null;
});
addEventListener("pageshow", (event) => event.persisted && listen());

history.scrollRestoration = "manual";
measure();
await comeBack(history.state);
draw();
listen();
