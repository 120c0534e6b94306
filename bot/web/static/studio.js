// The studio. The form works without this script. With it, everything stays on the page: prompt and
// swatches are kept in sync, a locked face can be recolored, two faces can be morphed, and every
// step is in the URL, so that the browser's back and forward are undo and redo.

import "./enlarge.js";
import { tile } from "./common.js";
import { watchQueue } from "./queue.js";
import { describe, say } from "./words.js";
import { get, post } from "./studio/api.js";
import * as browser from "./studio/browser.js";
import * as url from "./studio/url.js";
import * as morph from "./studio/morph.js";
import * as painter from "./studio/painter.js";
import { showError, find, form, mayPaint, announce } from "./studio/dom.js";
import * as result from "./studio/result.js";
import * as paintForm from "./studio/form.js";
import * as session from "./studio/session.js";
import * as shape from "./studio/shape.js";
import * as partner from "./studio/partner.js";
import "./studio/float.js";

let shown = []; // the avatars on display
let painting = false;
let latest = 0; // number of the latest view: a late response must not replace a newer view

// Painting ------------------------------------------------------------------------------------

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = paintForm.requestBody();
  await paint(body.count ?? 1, async () => {
    const [avatar] = shown;
    if (!isLocked()) return painter.create(body);
    const repeatable = paintForm.isRepeatable(avatar);
    if (body.count && repeatable) return painter.create(body);
    const changes = await lockedChanges(body);
    if (changes) return painter.recolor(avatar, changes);
    if (body.count) return painter.vary(avatar);
    if (repeatable) return painter.create(body);
    throw new Error(say("script-studio-locked"));
  }, body.prompt);
});

/** Whether the face on display is locked. */
const isLocked = () => shown.length === 1 && paintForm.isLocked(shown[0]);

/** Values of the prompt that differ from the locked face; null without any. */
async function lockedChanges(body) {
  const [avatar] = shown;
  const { wish } = await browser.readPrompt(body.prompt);
  return differences(wish, avatar);
}

function differences(wish, avatar) {
  const changed = Object.entries(wish).filter(([name, value]) => avatar.conditions[name] !== value);
  return changed.length ? Object.fromEntries(changed) : null;
}

/** Repaints the locked face with the selected swatches. */
async function recolor() {
  const [avatar] = shown;
  if (!mayPaint || !isLocked() || painting) return;
  const wish = differences(paintForm.selectedWish(), avatar);
  if (!wish) return;
  await paint(1, () => painter.recolor(avatar, wish));
  if (shown[0] !== avatar) await recolor(); // swatches selected meanwhile
}

find("#variations").addEventListener("click", () =>
  paint(9, () => painter.vary(shown[0])),
);

shape.listen((avatar, positions) =>
  paint(1, () => painter.reshape(avatar, positions)),
);

const mix = (a, b) => paint(1, async () => painter.mix(a, b));

find("#mix").addEventListener("click", () => mix(...shown.map((avatar) => avatar.id)));

partner.listen({
  shownId: () => shown[0].id,
  onMix: mix,
  onMorph: (a, b) => go({ morph: true, ids: [a, b] }),
});

// Keeps a picture of this browser: the bot paints and stores it.
find("#store")?.addEventListener("click", () => {
  const [local] = shown;
  paint(1, async () => {
    const kept = await browser.keep(local);
    session.remove(local.id);
    return [kept];
  });
});

find("#recolor").addEventListener("click", () => {
  paintForm.lockFace();
  partner.stop();
  partner.showTip(say("script-studio-now-locked"));
});

/** Paints and shows pictures, one request at a time. `prompt` is what the form said. */
async function paint(count, make, prompt) {
  if (painting) return;
  painting = true;
  showError("");
  const mine = ++latest;
  const before = paintForm.draft().prompt;
  noteFocus();
  const button = find("button[type=submit]", form);
  button.ariaDisabled = "true";
  result.wait(count > 1 ? "sheet" : "done", count);
  session.addPlaceholders(count);
  const stopWatching = browser.isOn() ? () => {} : watchQueue((text) => (find("#queue").textContent = text));
  try {
    const avatars = await make();
    session.add(avatars);
    addTiles(avatars.filter(({ local }) => !local));
    if (mine !== latest) return; // the visitor moved on: the pictures are in the strip
    paintForm.showWish(avatars[0], prompt ?? before);
    url.push({ ids: avatars.map((avatar) => avatar.id) }, paintForm.draft());
    await showAvatars(avatars);
    const [face, count] = [describe(avatars[0]), avatars.length];
    announce(count > 1 ? say("script-studio-painted-many", { count }) : say("script-studio-painted", { face }));
  } catch (error) {
    showError(error.message);
    session.draw();
  } finally {
    stopWatching();
    painting = false;
    button.ariaDisabled = null;
    if (mine === latest) result.stopWaiting();
  }
}

// Showing --------------------------------------------------------------------------------

async function showAvatars(avatars) {
  shown = avatars;
  if (avatars.length === 0) result.showNothing();
  else if (avatars.length === 1) await result.showOne(avatars[0]);
  else await result.showSheet(avatars);
  updateTools();
}

/** Shows the view in the URL. */
async function showView() {
  const mine = ++latest;
  const view = url.readView();
  try {
    if (view.morph) result.wait("morph");
    else if (view.ids.length) result.wait(view.ids.length > 1 ? "sheet" : "done", view.ids.length);
    const avatars = await Promise.all(view.ids.map(session.load));
    if (mine !== latest) return;
    if (!url.hasDraft() && avatars.length) paintForm.showWish(avatars[0]);
    if (view.morph) {
      const transition = await morph.load(...avatars);
      if (mine !== latest) return;
      shown = avatars;
      result.showMorph(transition);
      updateTools();
      const [a, b] = avatars.map(describe);
      announce(say("script-studio-move", { a, b }));
    } else {
      await showAvatars(avatars);
    }
    if (avatars.length === 1) await loadFavorite(avatars[0]);
  } catch (error) {
    if (mine === latest) showError(error.message);
  } finally {
    if (mine === latest) result.stopWaiting();
  }
}

/** Loads whether the avatar is a favorite. */
async function loadFavorite(avatar) {
  if (avatar.favourite !== undefined || avatar.local) return;
  avatar.favourite = (await get(`/api/avatars/${avatar.id}`)).favourite;
  session.save();
  if (shown[0] === avatar) result.showFavorite(avatar);
}

function updateTools() {
  partner.stop();
  shape.follow(find("#result").dataset.state === "done" ? shown[0] : null);
  const ids = shown.map((avatar) => avatar.id);
  session.mark(ids);
  find("#undo").disabled = url.step() === 0;
  for (const id of ["variations", "recolor", "mix-with", "morph-with"]) find(`#${id}`).disabled = !mayPaint;
  // If the focused element has gone, move the focus to the picture.
  const focused = document.activeElement;
  if (hadFocus && (focused === document.body || focused.disabled || !focused.checkVisibility())) {
    find("#result").focus({ preventScroll: true });
  }
  hadFocus = false;
}

let hadFocus = false; // whether the focus was in the result
function noteFocus() {
  hadFocus = find("#result").contains(document.activeElement);
}

/** Goes to another view of known pictures. */
function go(view, draft = paintForm.draft()) {
  showError("");
  noteFocus();
  url.push(view, draft);
  return showView();
}

addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-id]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const avatar = await session.load(link.dataset.id).catch((error) => showError(error.message));
  if (!avatar) return;
  paintForm.showWish(avatar);
  await go({ ids: [avatar.id] });
});

addEventListener("popstate", () => {
  const draft = url.readStep();
  if (url.hasDraft() || !url.readView().ids.length) paintForm.fill(draft);
  showView();
});

find("#undo").addEventListener("click", () => {
  noteFocus();
  history.back();
});

// Actions --------------------------------------------------------------------------------

find("#favorite").addEventListener("click", async () => {
  const [avatar] = shown;
  try {
    Object.assign(avatar, await post(`/api/avatars/${avatar.id}/favourite`));
    session.save();
    result.showFavorite(avatar);
    announce(say(avatar.favourite ? "script-favorite-added" : "script-favorite-removed"));
  } catch (error) {
    showError(error.message);
  }
});

const copyLabel = find("#copy").textContent;
find("#copy").addEventListener("click", async () => {
  const command = find("#command");
  try {
    await navigator.clipboard.writeText(command.value);
  } catch {
    // Without HTTPS there is no clipboard API.
    command.select();
    document.execCommand("copy");
  }
  find("#copy").textContent = say("script-studio-copied");
  announce(say("script-studio-copied-command"));
  setTimeout(() => (find("#copy").textContent = copyLabel), 1500);
});

/** Adds pictures to the gallery below. */
function addTiles(avatars) {
  const tiles = find("#gallery .tiles");
  for (const avatar of [...avatars].reverse()) {
    const item = tile({ ...avatar, alt: describe(avatar) });
    item.classList.add("fresh");
    tiles.prepend(item);
  }
  while (tiles.children.length > 12) tiles.lastElementChild.remove();
  if (tiles.children.length) find("#gallery .nothing")?.remove();
}

browser.start();
paintForm.listen(() => url.amend(paintForm.draft()), recolor);
session.open((a, b) => go({ morph: true, ids: [a, b] }));
// The page of the service worker does not have the URL's form.
if (url.readView().ids.length || "start" in browser.words) {
  if (url.hasDraft()) paintForm.fill(url.readDraft());
  showView();
}
