// A picture's page. This script adds favoriting, copying and deleting.

import { request } from "./common.js";

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
    favorite.querySelector("span").textContent = state.favourites;
    news.textContent = state.favourite ? "Added to your favorites." : "Removed from your favorites.";
  }),
);

copy.addEventListener("click", () =>
  attempt(async () => {
    const command = find("#command");
    try {
      await navigator.clipboard.writeText(command.textContent);
      copy.textContent = "Copied";
      news.textContent = "Copied.";
    } catch {
      // Without HTTPS there is no clipboard: select the command, ready to be copied.
      getSelection().selectAllChildren(command);
      news.textContent = "The command is selected.";
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
    if (!navigator.clipboard) throw new Error("The link is in the address bar. Copy it from there.");
    await navigator.clipboard.writeText(link.url);
    news.textContent = "Copied the link.";
    find("#share").textContent = "Copied the link";
  }),
);

report?.addEventListener("click", () => {
  const dialog = find("#report-form");
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener(
    "close",
    () =>
      dialog.returnValue === "yes" &&
      attempt(async () => {
        await request(`/api/avatars/${id}/report`, "POST", { reason: find("#reason").value });
        report.disabled = true;
        report.textContent = "Reported";
        news.textContent = "Thank you. The operator will look at this picture.";
      }),
    { once: true },
  );
});

remove?.addEventListener("click", () => {
  const dialog = find("#confirm");
  dialog.showModal();
  dialog.addEventListener(
    "close",
    () =>
      dialog.returnValue === "yes" &&
      attempt(async () => {
        await request(`/api/avatars/${id}`, "DELETE");
        location.replace("/gallery");
      }),
    { once: true },
  );
});
