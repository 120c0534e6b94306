// A picture's page. This script adds favoriting, copying and deleting.

import "./enlarge.js";
import { confirm, request } from "./common.js";
import { say } from "./words.js";

const find = (selector) => document.querySelector(selector);
const { id } = find(".portrait").dataset;
const favorite = find("#favorite");
const copy = find("#copy");
const remove = find("#delete");
const report = find("#report");
const news = find("#news");
const problem = find("#problem");

async function attempt(task) {
  problem.textContent = "";
  try {
    await task();
  } catch (error) {
    problem.textContent = error.message;
  }
}

favorite.addEventListener("click", () =>
  attempt(async () => {
    const state = await request(`/api/avatars/${id}/favourite`, "POST");
    favorite.ariaPressed = String(state.favourite);
    find("#favorites").textContent = state.favourites;
    news.textContent = say(state.favourite ? "script-favorite-added" : "script-favorite-removed");
  }),
);

copy.addEventListener("click", () =>
  attempt(async () => {
    const command = find("#command");
    try {
      await navigator.clipboard.writeText(command.textContent);
      copy.textContent = say("script-picture-copied");
      news.textContent = say("script-picture-copied-command");
    } catch {
      // Without HTTPS there is no clipboard: select the command, ready to be copied.
      getSelection().selectAllChildren(command);
      news.textContent = say("script-picture-selected");
    }
  }),
);

find("#share").addEventListener("click", () =>
  attempt(async () => {
    const link = { title: document.title, url: location.origin + location.pathname };
    if (navigator.share) {
      // Closing the system's dialog is no error.
      return navigator.share(link).catch((error) => error.name === "AbortError" || Promise.reject(error));
    }
    if (!navigator.clipboard) throw new Error(say("script-picture-no-clipboard"));
    await navigator.clipboard.writeText(link.url);
    find("#share").textContent = say("script-picture-copied-link");
    news.textContent = find("#share").textContent;
  }),
);

report?.addEventListener("click", () =>
  attempt(async () => {
    if (!(await confirm(find("#report-form")))) return;
    await request(`/api/avatars/${id}/report`, "POST", { reason: find("#reason").value });
    report.disabled = true;
    report.textContent = say("script-picture-reported");
    news.textContent = say("script-picture-thanks");
  }),
);

remove?.addEventListener("click", () =>
  attempt(async () => {
    if (!(await confirm(find("#confirm")))) return;
    await request(`/api/avatars/${id}`, "DELETE");
    location.replace("/gallery");
  }),
);
