// The page works without this file. With it, swatches and prompt keep in step, painting stays on
// the page, and the gallery grows in place.

const find = (selector, root = document) => root.querySelector(selector);
const form = find("#paint");
const prompt = find("#prompt");
const seed = find("#seed");
const button = find("button[type=submit]", form);
const problem = find("#problem");
const result = find("#result");
const news = find("#news");
const swatches = [...form.querySelectorAll("input[type=radio]")];

// Swatches and prompt -------------------------------------------------------------------------

form.addEventListener("change", (event) => {
  if (event.target.type !== "radio") return;
  reading?.abort();
  prompt.value = swatches
    .filter((swatch) => swatch.checked && swatch.value)
    .map((swatch) => swatch.dataset.words)
    .join(" ");
  problem.textContent = "";
});

// The bot alone knows how a prompt is read. Half a word is no mistake yet: errors wait for Paint.
let reading;
let pause;
prompt.addEventListener("input", () => {
  problem.textContent = "";
  reading?.abort();
  clearTimeout(pause);
  pause = setTimeout(async () => {
    reading = new AbortController();
    const query = new URLSearchParams({ prompt: prompt.value });
    try {
      const answer = await fetch(`/api/wish?${query}`, { signal: reading.signal });
      if (answer.ok) choose((await answer.json()).wish);
    } catch {
      // Overtaken by the next word, or the bot is away; Paint will tell.
    }
  }, 150);
});

function choose(wish) {
  for (const swatch of swatches) {
    const attribute = swatch.name.slice(form.dataset.field.length);
    swatch.checked = swatch.value === (wish[attribute] ?? "");
  }
}

// Painting ------------------------------------------------------------------------------------

let painting = false;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (painting) return;
  painting = true;
  problem.textContent = "";
  const before = result.dataset.state;
  result.dataset.state = "painting";
  result.ariaBusy = "true";
  button.ariaDisabled = "true";
  try {
    const avatar = await order();
    await show(avatar);
    addTile(avatar);
  } catch (error) {
    result.dataset.state = before;
    problem.textContent = error.message;
    problem.scrollIntoView({ block: "nearest" });
  } finally {
    painting = false;
    result.ariaBusy = null;
    button.ariaDisabled = null;
  }
});

async function order() {
  const body = { prompt: prompt.value };
  if (seed.value.trim()) {
    // What is no number is sent as it is: the bot says what is wrong with it.
    body.seed = /^\d+$/.test(seed.value.trim()) ? Number(seed.value) : seed.value;
  }
  let answer;
  try {
    answer = await fetch("/api/avatars", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The bot does not answer. Please try again in a moment.");
  }
  const read = await answer.json().catch(() => ({ error: "The bot's answer was cut off." }));
  if (!answer.ok) throw new Error(read.error);
  return read[0];
}

async function show(avatar) {
  const fresh = new Image(64, 64);
  fresh.className = "picture";
  fresh.alt = describe(avatar);
  fresh.src = avatar.image_url;
  await fresh.decode().catch(() => {
    throw new Error("The picture is painted, but it did not arrive. It is in the gallery.");
  });
  find(".picture", result).replaceWith(fresh);
  const glow = find(".glow", result);
  glow.src = avatar.image_url;
  glow.hidden = false;
  find(".hint", result).hidden = true;
  find(".chips", result).replaceChildren(
    ...Object.entries(avatar.conditions).map(([name, value]) => chip(name, value, avatar.wish)),
  );
  find("#keep").textContent = avatar.seed;
  find("#model").textContent = avatar.model;
  find("#link").href = avatar.url;
  find(".facts", result).hidden = false;
  result.dataset.state = "done";
  news.textContent = `Painted: ${describe(avatar)}.`;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  result.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

function chip(name, value, wish) {
  const item = document.createElement("li");
  item.className = "chip";
  if (!(name in wish)) {
    item.dataset.chance = "";
    item.title = "left to chance";
  }
  const own = swatches.find((swatch) => swatch.name.endsWith(name) && swatch.value === value);
  const dab = own && find(".dab", own.parentElement);
  if (dab) item.append(dab.cloneNode(true));
  const words = document.createElement("span");
  words.textContent = `${value} ${name}`;
  item.append(words);
  return item;
}

const describe = (avatar) =>
  Object.entries(avatar.conditions).map(([name, value]) => `${value} ${name}`).join(", ") || "a face";

find("#keep").addEventListener("click", () => {
  seed.value = find("#keep").textContent;
  seed.focus();
});

// The gallery ---------------------------------------------------------------------------------

function addTile(avatar) {
  const query = new URLSearchParams(location.search);
  const shown = [...find("#filter").elements].filter((field) => field.name && field.value);
  const fits = shown.every((field) => avatar.conditions[field.name] === field.value);
  if (!fits || query.has("cursor")) return;
  const item = find("#new-tile").content.firstElementChild.cloneNode(true);
  find("a", item).href = avatar.url;
  const image = find("img", item);
  image.src = avatar.image_url;
  image.alt = describe(avatar);
  item.classList.add("fresh");
  find("#gallery .tiles").prepend(item);
  find("#gallery .nothing")?.remove();
}

const gallery = find("#gallery");

gallery.addEventListener("click", async (event) => {
  const link = event.target.closest("a[rel=next]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const page = await fetchGallery(link.href);
  if (!page) return;
  const tiles = [...page.querySelectorAll(".tiles > li")];
  const next = find("a[rel=next]", page)?.parentElement;
  find(".tiles").append(...tiles);
  if (next) link.parentElement.replaceWith(next);
  else link.parentElement.remove();
  if (tiles.length) find("a", tiles[0]).focus({ preventScroll: true });
  news.textContent = `${tiles.length} older pictures.`;
});

gallery.addEventListener("change", async (event) => {
  const filter = event.target.form;
  if (!filter) return;
  const chosen = [...new FormData(filter)].filter(([, value]) => value);
  const address = `/?${new URLSearchParams(chosen)}`;
  const page = await fetchGallery(address);
  if (!page) return;
  // The filter's own selects stay where they are, with the keyboard's focus.
  for (const child of [...gallery.children].slice(1)) child.remove();
  gallery.append(...[...page.children].slice(1));
  for (const field of filter.querySelectorAll("select")) {
    field.parentElement.classList.toggle("chosen", field.value !== "");
  }
  history.replaceState(null, "", chosen.length ? address : "/");
  news.textContent = `${find(".tiles", gallery).children.length} pictures.`;
});

/** The gallery section of that address; where it cannot be had, the browser goes there instead. */
async function fetchGallery(address) {
  gallery.ariaBusy = "true";
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return find("#gallery", new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    location.assign(address);
    return null;
  } finally {
    gallery.ariaBusy = null;
  }
}
