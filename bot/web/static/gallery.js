// The gallery. Without this script the page has links to older and newer pictures; with it, the
// grid scrolls without end, and new pictures appear as they are painted.

import { request, tile } from "./common.js";
import { describe, language, say } from "./words.js";

const AHEAD = 1.5; // viewport heights above and below that have tiles; the rest is padding
const KEPT = 40; // pages on either side that stay in memory

const find = (selector) => document.querySelector(selector);
const grid = find("#grid");
const news = find("#news");
const newPictures = find("#new-pictures");
const { sort } = grid.dataset;
const filters = JSON.parse(grid.dataset.filters);
const filterQuery = JSON.parse(grid.dataset.query);

// Pages --------------------------------------------------------------------------------
//
// Pages as the API returns them, newest first: {cursor, size, faces}; faces is null for a page that
// was dropped from memory. In front of them are faces painted since the first page was loaded.

const cursorOf = (link) => link && new URL(link.href).searchParams.get("cursor");
const fresh = [];
const pages = [
  { cursor: new URLSearchParams(location.search).get("cursor"), faces: [...grid.children].map(faceOf) },
];
pages[0].size = pages[0].faces.length;
let older = cursorOf(find("#older a"));
let newer = cursorOf(find("#newer a"));

function faceOf(item) {
  const image = item.querySelector("img");
  const id = item.querySelector("a").getAttribute("href").split("/").pop();
  return { id, alt: image.alt, favourites: Number(item.querySelector(".loved").textContent) };
}

const toFace = (avatar) => ({ id: avatar.id, alt: describe(avatar), favourites: avatar.favourites });

function load(cursor) {
  const query = new URLSearchParams({ ...filterQuery, sort, ...(cursor && { cursor }) });
  return request(`/api/avatars?${query}`);
}

const total = () => pages.reduce((sum, page) => sum + page.size, fresh.length);

/** [page, index within it] of the picture at this index; page is null for a fresh one. */
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
  const [page, i] = locate(index);
  return page ? page.faces?.[i] : fresh[i];
}

const knows = (id) =>
  [{ faces: fresh }, ...pages].some(({ faces }) => faces?.some((face) => face.id === id));

// Visible tiles ----------------------------------------------------------------------------

let columns;
let pitch; // pixels from one row to the next

function measure() {
  const style = getComputedStyle(grid);
  columns = style.gridTemplateColumns.split(" ").length;
  const gap = parseFloat(style.rowGap);
  pitch = (grid.clientWidth + gap) / columns;
}

const rows = () => Math.ceil(total() / columns);
const gridTop = () => grid.getBoundingClientRect().top;
const topRow = () => Math.min(Math.max(0, Math.floor(-gridTop() / pitch)), Math.max(0, rows() - 1));

const nodes = new Map(); // by id, or by index for a dropped face

function draw() {
  const reach = AHEAD * innerHeight;
  const first = Math.max(0, Math.floor((-gridTop() - reach) / pitch));
  const last = Math.min(rows(), Math.ceil((-gridTop() + innerHeight + reach) / pitch));
  const wanted = new Map();
  const dropped = new Set();
  for (let i = first * columns; i < Math.min(total(), last * columns); i++) {
    const face = faceAt(i);
    if (!face) dropped.add(locate(i)[0]);
    const key = face?.id ?? `blank ${i}`;
    wanted.set(key, nodes.get(key) ?? (face ? tile(face) : blank()));
  }
  for (const [key, node] of nodes) if (!wanted.has(key)) node.remove();
  // Nodes that stay are not moved, which would take the focus from them.
  let next = grid.firstElementChild;
  for (const node of wanted.values()) {
    if (node === next) next = next.nextElementSibling;
    else grid.insertBefore(node, next);
  }
  nodes.clear();
  for (const [key, node] of wanted) nodes.set(key, node);
  grid.style.paddingTop = `${first * pitch}px`;
  grid.style.paddingBottom = `${Math.max(0, rows() - last) * pitch}px`;
  for (const page of dropped) reload(page);
  if (older && last >= rows()) loadOlder();
  if (newer && scrollingUp && first === 0) loadNewer();
}

function blank() {
  const item = document.createElement("li");
  item.className = "blank";
  return item;
}

/** Edits the pages and keeps the visible tiles in place, except at the top. */
function change(edit) {
  const [index, before] = [topRow() * columns, total()];
  const face = total() && faceAt(index);
  const offset = gridTop() + topRow() * pitch;
  const inside = gridTop() < 0;
  edit();
  if (inside && face && total() > before) {
    const position = indexOf(face.id);
    scrollBy(0, gridTop() + Math.floor(position / columns) * pitch - offset);
  }
  draw();
}

function indexOf(id) {
  let start = 0;
  for (const { faces, size } of [{ faces: fresh, size: fresh.length }, ...pages]) {
    const index = faces?.findIndex((face) => face.id === id) ?? -1;
    if (index >= 0) return start + index;
    start += size;
  }
  return -1;
}

// Loading --------------------------------------------------------------------------------

const LOAD_RETRY = 3000; // milliseconds

let loading = null;
let failed = false;
let scrollingUp = false; // newer pages load only when scrolling towards them

/** One at a time; after a failure the link works without this script until the next attempt. */
function once(task) {
  loading ??= task()
    .catch(() => {
      failed = true;
      setTimeout(() => {
        failed = false;
        draw();
      }, LOAD_RETRY);
    })
    .finally(() => {
      loading = null;
      if (!failed) draw();
    });
  return loading;
}
const loadOlder = () =>
  !failed &&
  once(async () => {
    const cursor = older;
    const page = await load(cursor);
    const faces = page.avatars.map(toFace).filter(({ id }) => !knows(id));
    older = page.older;
    pages.push({ cursor, faces, size: faces.length });
    const link = find("#older a");
    if (older) link.href = urlOf(older);
    else find("#older").remove();
  });

const loadNewer = () =>
  !failed &&
  once(async () => {
    const cursor = newer;
    const page = await load(cursor);
    const faces = page.avatars.map(toFace).filter(({ id }) => !knows(id));
    newer = page.newer;
    change(() => pages.unshift({ cursor: newer ? cursor : null, faces, size: faces.length }));
    if (newer) find("#newer a").href = urlOf(newer);
    else leaveNewer();
  });

function leaveNewer() {
  const above = find("#newer").getBoundingClientRect().height;
  find("#newer").remove();
  scrollBy(0, -above);
  listen();
}

async function reload(page) {
  if (page.reloading) return;
  page.reloading = true;
  try {
    const { avatars } = await load(page.cursor);
    // As many as before, so that everything below keeps its position.
    page.faces = avatars.map(toFace).slice(0, page.size);
    page.size = page.faces.length;
    draw();
    saveState(); // its top tile may have been missing
  } catch {
    setTimeout(() => draw(), LOAD_RETRY);
  } finally {
    page.reloading = false;
  }
}

function dropDistantPages() {
  const here = pages.indexOf(locate(topRow() * columns)[0] ?? pages[0]);
  pages.forEach((page, i) => {
    if (page.cursor && Math.abs(i - here) > KEPT) page.faces = null;
  });
}

// History --------------------------------------------------------------------------------
//
// The URL is that of the visible page; the history state has the top tile and its position.

function urlOf(cursor) {
  const query = new URLSearchParams({ ...filterQuery, ...(sort !== "new" && { sort }), ...(cursor && { cursor }) });
  return query.size ? `/gallery?${query}` : "/gallery";
}

function saveState() {
  if (!total()) return;
  const index = topRow() * columns;
  const inside = gridTop() < 0;
  const state = inside
    ? { id: faceAt(index)?.id, top: gridTop() + topRow() * pitch }
    : { y: scrollY };
  const page = inside ? (locate(index)[0] ?? pages[0]) : pages[0];
  history.replaceState(state, "", urlOf(page.cursor));
}

async function restoreState(state) {
  if (state?.y) scrollTo(0, state.y);
  if (!state?.id || indexOf(state.id) < 0) return;
  const align = () => {
    const row = Math.floor(indexOf(state.id) / columns);
    scrollTo(0, scrollY + gridTop() + row * pitch - state.top);
    draw();
  };
  // Immediately after each page, so that no frame shows the tile elsewhere.
  align();
  if (newer) await loadNewer();
  align();
  if (older) await loadOlder();
  align();
}

// New pictures ---------------------------------------------------------------------------

const RETRY = 30_000; // milliseconds

let source = null;
let unseen = 0;

/** Listens only while the page is visible: a browser has few connections per host. */
function listen() {
  const wanted = sort === "new" && !newer && !document.hidden;
  if (wanted && !source) {
    source = new EventSource("/api/events");
    source.addEventListener("open", catchUp);
    source.addEventListener("avatar", (event) => addNew([JSON.parse(event.data)]));
    source.addEventListener("error", retry);
  } else if (!wanted) {
    source?.close();
    source = null;
  }
}

/** Reconnects after an answer such as 503, which browsers do only after lost connections. */
function retry() {
  if (source?.readyState !== EventSource.CLOSED) return;
  source = null;
  setTimeout(listen, RETRY);
}

/** Adds pictures painted while the stream was closed. */
async function catchUp() {
  const page = await load(null).catch(() => null);
  if (!page) return setTimeout(() => source && catchUp(), LOAD_RETRY);
  const known = page.avatars.findIndex(({ id }) => knows(id));
  addNew(page.avatars.slice(0, known < 0 ? undefined : known).reverse());
}

function addNew(avatars) {
  const faces = avatars
    .filter(({ conditions }) => Object.entries(filters).every(([name, value]) => conditions[name] === value))
    .map(toFace)
    .filter(({ id }) => !knows(id));
  if (!faces.length) return;
  if (!total()) return location.reload(); // the page says that there are no pictures
  const inside = gridTop() < 0;
  change(() => fresh.unshift(...faces.reverse()));
  for (const { id } of faces) nodes.get(id)?.classList.add("fresh");
  const count = find("#count");
  count.dataset.count = Number(count.dataset.count) + faces.length;
  count.textContent = Number(count.dataset.count).toLocaleString(language);
  if (inside) {
    unseen += faces.length;
    newPictures.textContent = say("script-gallery-fresh", { count: unseen });
    newPictures.hidden = false;
    news.textContent = newPictures.textContent;
  } else {
    news.textContent = say("script-gallery-new", { face: faces[0].alt });
  }
}

newPictures.addEventListener("click", () => {
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const far = -gridTop() > 4 * innerHeight;
  scrollTo({ top: 0, behavior: reducedMotion || far ? "auto" : "smooth" });
  grid.querySelector("a")?.focus({ preventScroll: true });
});

// Start -----------------------------------------------------------------------------------

for (const item of grid.children) nodes.set(faceOf(item).id, item);
for (const selected of document.querySelectorAll(".choice[aria-current]")) {
  const row = selected.closest(".choices");
  row.scrollLeft = selected.offsetLeft - row.clientWidth / 2;
}

let frame = 0;
let idle = 0;
let height = scrollY;
addEventListener("scroll", () => {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    scrollingUp = scrollY < height;
    height = scrollY;
    if (gridTop() >= 0) {
      newPictures.hidden = true;
      unseen = 0;
    }
    draw();
  });
  clearTimeout(idle);
  idle = setTimeout(() => {
    dropDistantPages();
    saveState();
  }, 150);
});

new ResizeObserver(() => {
  const width = columns;
  const index = width && topRow() * columns;
  const inside = width && gridTop() < 0;
  measure();
  // With other columns, the same picture stays at the top.
  if (width && width !== columns && inside) {
    scrollBy(0, gridTop() + Math.floor(index / columns) * pitch);
  }
  draw();
}).observe(document.documentElement);

find("#newer")?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || failed) return;
  event.preventDefault();
  loadNewer();
});
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => {
  saveState();
  source?.close();
  source = null;
});
addEventListener("pageshow", (event) => event.persisted && listen());

history.scrollRestoration = "manual";
measure();
await restoreState(history.state);
draw();
listen();
