// The admin's pages: they can be read without this file. With it, what changes is followed, curves
// are drawn, and models and pictures can be changed.

import { draw } from "./admin/chart.js";
import { renew } from "./admin/follow.js";
import { scrub } from "./admin/grids.js";
import { ask } from "./faces.js";

const find = (selector, root = document) => root.querySelector(selector);
const problem = find("#problem");
const news = find("#news");

function ready() {
  for (const figure of document.querySelectorAll(".chart")) draw(figure);
  for (const figure of document.querySelectorAll(".grids")) scrub(figure);
}

async function attempt(task) {
  problem.textContent = "";
  try {
    return await task();
  } catch (error) {
    problem.textContent = error.message;
    problem.scrollIntoView({ block: "nearest" });
  }
}

// Changes -------------------------------------------------------------------------------------

/** Whether the admin is sure. */
function isSure(question, why) {
  const dialog = find("#sure");
  find("#sure-title").textContent = question;
  find("#sure-why").textContent = why;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}

/** Chooses a model; loading it takes seconds. */
async function choose(button) {
  const { post, busy, sure, why } = button.dataset;
  if (button.ariaDisabled === "true" || !(await isSure(sure, why))) return;
  const text = button.textContent;
  button.ariaDisabled = "true";
  button.textContent = busy;
  news.textContent = busy;
  await attempt(async () => {
    const { model } = await ask(post, "POST");
    await renew("#page");
    ready();
    news.textContent = `${model} paints now.`;
    find("#page h1").focus();
  });
  button.ariaDisabled = null;
  button.textContent = text;
}

/** Hides a picture, or shows it again; it stays in its place, so that a slip is easily undone. */
async function hide(button) {
  const id = button.dataset.hide;
  const item = button.closest("li");
  const act = "hidden" in item.dataset ? "show" : "hide";
  await attempt(async () => {
    const { hidden } = await ask(`/admin/pictures/${id}/${act}`, "POST");
    item.toggleAttribute("data-hidden", hidden);
    button.textContent = hidden ? "Show" : "Hide";
    news.textContent = hidden ? `${id} is hidden.` : `${id} is public again.`;
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.post) choose(button);
  if (button?.dataset.hide) hide(button);
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "hide-one") return;
  event.preventDefault();
  const typed = find("#which").value.trim();
  attempt(async () => {
    const id = /(?:^|\/(?:a|images|thumbs)\/)([a-z0-9]{1,32})(?:\.\w+)?(?:[?#].*)?$/i.exec(typed)?.[1];
    if (!id) throw new Error("That is neither a picture's id nor a link to one, such as /a/bcd23456.");
    await ask(`/admin/pictures/${id.toLowerCase()}/hide`, "POST");
    await renew("#page");
    news.textContent = `${id} is hidden.`;
    find("#which").focus();
  });
});

// Following -----------------------------------------------------------------------------------

let timer;

async function follow() {
  clearTimeout(timer);
  const followed = find("[data-follow]");
  if (!followed || document.hidden) return;
  timer = setTimeout(async () => {
    try {
      await renew("[data-live]");
      ready();
      delete document.body.dataset.stale;
    } catch {
      document.body.dataset.stale = ""; // it asks again, and shows that the figures are old
    }
    follow();
  }, 1000 * followed.dataset.follow);
}

document.addEventListener("visibilitychange", follow);
ready();
follow();
