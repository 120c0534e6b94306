// The studio. The page paints without this file; with it, everything stays on the page: swatches
// and words in step, a face held while its colours change, two faces blended, and every step in
// the address, so that the browser's back and forward are undo and redo.

import { describe, tile } from "./faces.js";
import { get, post } from "./studio/api.js";
import * as address from "./studio/address.js";
import * as blend from "./studio/blend.js";
import { complain, find, form, mayPaint, tell } from "./studio/dom.js";
import * as easel from "./studio/easel.js";
import * as order from "./studio/order.js";
import * as visit from "./studio/visit.js";

let shown = []; // the avatars that are seen
let painting = false;
let turn = 0; // of what is shown: what comes late does not replace what is newer

// Painting ------------------------------------------------------------------------------------

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const wanted = order.order();
  await paint(wanted.count ?? 1, async () => {
    const changes = await changesOf(wanted);
    if (changes) return post(`/api/avatars/${shown[0].id}/recolour`, { wish: changes });
    return post("/api/avatars", wanted);
  }, wanted.prompt);
});

/** With its face held, what the words want otherwise than it is; nothing where nothing is held. */
async function changesOf(wanted) {
  const [avatar] = shown;
  if (shown.length !== 1 || wanted.count || !order.holds(avatar)) return null;
  const { wish } = await get(`/api/wish?${new URLSearchParams({ prompt: wanted.prompt })}`);
  return differences(wish, avatar);
}

function differences(wish, avatar) {
  const changed = Object.entries(wish).filter(([name, value]) => avatar.conditions[name] !== value);
  return changed.length ? Object.fromEntries(changed) : null;
}

/** Another swatch with the face held: the same face in that colour. */
async function recolour() {
  const [avatar] = shown;
  if (!mayPaint || shown.length !== 1 || !order.holds(avatar)) return;
  if (painting) return;
  const wish = differences(order.wished(), avatar);
  if (!wish) return;
  await paint(1, () => post(`/api/avatars/${avatar.id}/recolour`, { wish }));
  if (shown[0] !== avatar) await recolour(); // what was chosen meanwhile
}

find("#variations").addEventListener("click", () =>
  paint(9, () => post(`/api/avatars/${shown[0].id}/variations`)),
);

find("#mix").addEventListener("click", () => {
  const [a, b] = shown.map((avatar) => avatar.id);
  return paint(1, () => post("/api/mix", { a, b }));
});

/** One painting at a time. `asked` are the words it was asked for in. */
async function paint(count, make, asked) {
  if (painting) return;
  painting = true;
  complain("");
  const mine = ++turn;
  const before = order.draft().prompt;
  noteFocus();
  const button = find("button[type=submit]", form);
  button.ariaDisabled = "true";
  easel.wait(count > 1 ? "sheet" : "done", count);
  visit.expect(count);
  try {
    const avatars = await make();
    visit.remember(avatars);
    addTiles(avatars);
    if (mine !== turn) return; // gone on to something else: it is in the strip
    order.settle(avatars[0], asked ?? before);
    address.push({ ids: avatars.map((avatar) => avatar.id) }, order.draft());
    await put(avatars);
    const what = describe(avatars[0]);
    tell(avatars.length > 1 ? `Painted ${avatars.length} pictures.` : `Painted: ${what}.`);
  } catch (error) {
    complain(error.message);
    visit.draw();
  } finally {
    painting = false;
    button.ariaDisabled = null;
    if (mine === turn) easel.rest();
  }
}

// Looking -------------------------------------------------------------------------------------

async function put(avatars) {
  shown = avatars;
  if (avatars.length === 0) easel.showNothing();
  else if (avatars.length === 1) await easel.showOne(avatars[0]);
  else await easel.showSheet(avatars);
  settleTools();
}

/** Shows what the address says. */
async function look() {
  const mine = ++turn;
  const view = address.readView();
  try {
    if (view.blend) easel.wait("blend");
    else if (view.ids.length) easel.wait(view.ids.length > 1 ? "sheet" : "done", view.ids.length);
    const avatars = await Promise.all(view.ids.map(visit.load));
    if (mine !== turn) return;
    if (!address.hasDraft() && avatars.length) order.settle(avatars[0]);
    if (view.blend) {
      const way = await blend.load(...avatars);
      if (mine !== turn) return;
      shown = avatars;
      easel.showBlend(way);
      settleTools();
      tell(`Between ${avatars.map(describe).join(" and ")}. Move the slider.`);
    } else {
      await put(avatars);
    }
    if (avatars.length === 1) await refresh(avatars[0]);
  } catch (error) {
    if (mine === turn) complain(error.message);
  } finally {
    if (mine === turn) easel.rest();
  }
}

/** Whether it is a favourite is known to the bot alone. */
async function refresh(avatar) {
  if (avatar.favourite !== undefined) return;
  avatar.favourite = (await get(`/api/avatars/${avatar.id}`)).favourite;
  visit.keep();
  if (shown[0] === avatar) easel.showFavourite(avatar);
}

function settleTools() {
  const ids = shown.map((avatar) => avatar.id);
  visit.mark(ids);
  find("#undo").disabled = address.step() === 0;
  find("#variations").disabled = !mayPaint;
  // Where the keyboard was on what is gone now, it goes on at the picture.
  const focused = document.activeElement;
  if (wasInside && (focused === document.body || focused.disabled || !focused.checkVisibility())) {
    find("#result").focus({ preventScroll: true });
  }
  wasInside = false;
}

let wasInside = false; // the keyboard's focus, at the picture
function noteFocus() {
  wasInside = find("#result").contains(document.activeElement);
}

/** On to another view of known pictures. */
function go(view, draft = order.draft()) {
  complain("");
  noteFocus();
  address.push(view, draft);
  return look();
}

addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-id]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const avatar = await visit.load(link.dataset.id).catch((error) => complain(error.message));
  if (!avatar) return;
  order.settle(avatar);
  await go({ ids: [avatar.id] });
});

addEventListener("popstate", () => {
  const draft = address.arrive();
  if (address.hasDraft() || !address.readView().ids.length) order.fill(draft);
  look();
});

find("#undo").addEventListener("click", () => {
  noteFocus();
  history.back();
});

// What else can be done with a picture --------------------------------------------------------

find("#favourite").addEventListener("click", async () => {
  const [avatar] = shown;
  try {
    Object.assign(avatar, await post(`/api/avatars/${avatar.id}/favourite`));
    visit.keep();
    easel.showFavourite(avatar);
    tell(avatar.favourite ? "A favourite now." : "No favourite any more.");
  } catch (error) {
    complain(error.message);
  }
});

find("#copy").addEventListener("click", async () => {
  const line = find("#command");
  try {
    await navigator.clipboard.writeText(line.value);
  } catch {
    // Only secure pages may write there themselves.
    line.select();
    document.execCommand("copy");
  }
  find("#copy").textContent = "Copied";
  tell("Copied the line for Discord.");
  setTimeout(() => (find("#copy").textContent = "Copy"), 1500);
});

/** The newest ones of the gallery, below. */
function addTiles(avatars) {
  const tiles = find("#gallery .tiles");
  for (const avatar of [...avatars].reverse()) {
    const item = tile({ ...avatar, alt: describe(avatar) });
    item.classList.add("fresh");
    tiles.prepend(item);
  }
  while (tiles.children.length > 12) tiles.lastElementChild.remove();
  find("#gallery .nothing")?.remove();
}

order.listen(() => address.amend(order.draft()), recolour);
visit.open((a, b) => go({ blend: true, ids: [a, b] }));
if (address.readView().ids.length) {
  if (address.hasDraft()) order.fill(address.readDraft());
  look();
}
