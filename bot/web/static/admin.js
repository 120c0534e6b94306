// The admin pages. This script adds live updates, charts and actions.

import { draw } from "./admin/chart.js";
import { refresh } from "./admin/refresh.js";
import { addSlider } from "./admin/grids.js";
import { confirm, request } from "./common.js";

const find = (selector, root = document) => root.querySelector(selector);
const problem = find("#problem");
const news = find("#news");

function initialize() {
  for (const figure of document.querySelectorAll(".chart")) draw(figure);
  for (const figure of document.querySelectorAll(".grids")) addSlider(figure);
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

// Actions -------------------------------------------------------------------------------------

/** Switches the model; loading it takes seconds. */
async function switchModel(button) {
  const { post, busy, question, why } = button.dataset;
  if (button.ariaDisabled === "true") return;
  find("#confirm-title").textContent = question;
  find("#confirm-why").textContent = why;
  if (!(await confirm(find("#confirm")))) return;
  const text = button.textContent;
  button.ariaDisabled = "true";
  button.textContent = busy;
  news.textContent = busy;
  await attempt(async () => {
    const { model } = await request(post, "POST");
    await refresh("#page");
    initialize();
    news.textContent = `${model} is in use.`;
    find("#page h1").focus();
  });
  button.ariaDisabled = null;
  button.textContent = text;
}

/** Hides a picture or shows it again. It keeps its position, so that a mistake is easily undone. */
async function hide(button) {
  const id = button.dataset.hide;
  const item = button.closest("li");
  const action = "hidden" in item.dataset ? "show" : "hide";
  await attempt(async () => {
    const { hidden } = await request(`/admin/pictures/${id}/${action}`, "POST");
    item.toggleAttribute("data-hidden", hidden);
    button.textContent = hidden ? "Show" : "Hide";
    news.textContent = hidden ? `${id} is hidden.` : `${id} is public again.`;
  });
}

/** Dismisses the reports of a picture, which stays public. */
async function dismiss(button) {
  const id = button.dataset.dismiss;
  await attempt(async () => {
    await request(`/admin/reports/${id}/dismiss`, "POST");
    await refresh("#page");
    news.textContent = `The reports of ${id} are dismissed.`;
    find("#page h1").focus();
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.dismiss) dismiss(button);
  if (button?.dataset.post) switchModel(button);
  if (button?.dataset.hide) hide(button);
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "hide-one") return;
  event.preventDefault();
  const input = find("#which").value.trim();
  attempt(async () => {
    const id = /(?:^|\/(?:a|images|thumbs)\/)([a-z0-9]{1,32})(?:\.\w+)?(?:[?#].*)?$/i.exec(input)?.[1];
    if (!id) throw new Error("Enter a picture's id or a link to it, such as /a/bcd23456.");
    await request(`/admin/pictures/${id.toLowerCase()}/hide`, "POST");
    await refresh("#page");
    news.textContent = `${id} is hidden.`;
    find("#which").focus();
  });
});

// Live updates -----------------------------------------------------------------------------------

let timer;

async function scheduleRefresh() {
  clearTimeout(timer);
  const live = find("[data-refresh]");
  if (!live || document.hidden) return;
  timer = setTimeout(async () => {
    try {
      await refresh("[data-live]");
      initialize();
      delete document.body.dataset.stale;
    } catch {
      document.body.dataset.stale = ""; // shows that the figures are outdated, and tries again
    }
    scheduleRefresh();
  }, 1000 * live.dataset.refresh);
}

document.addEventListener("visibilitychange", scheduleRefresh);
initialize();
scheduleRefresh();
