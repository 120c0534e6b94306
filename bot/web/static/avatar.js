// The page works without this file; with it, a picture can be loved, deleted, and asked for again.

import { ask } from "./faces.js";

const find = (selector) => document.querySelector(selector);
const { id } = find(".portrait").dataset;
const favourite = find("#favourite");
const copy = find("#copy");
const remove = find("#delete");
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

favourite.addEventListener("click", () =>
  attempt(async () => {
    const state = await ask(`/api/avatars/${id}/favourite`, "POST");
    favourite.ariaPressed = String(state.favourite);
    favourite.querySelector("span").textContent = state.favourites;
    news.textContent = state.favourite ? "It is one of your favourites." : "No longer a favourite.";
  }),
);

copy.addEventListener("click", () =>
  attempt(async () => {
    const line = find("#line");
    try {
      await navigator.clipboard.writeText(line.textContent);
      copy.textContent = "Copied";
      news.textContent = "Copied.";
    } catch {
      // No clipboard here (a page that is not served over HTTPS): it is marked, ready for the keys.
      getSelection().selectAllChildren(line);
      news.textContent = "The line is selected.";
    }
  }),
);

remove?.addEventListener("click", () => {
  const sure = find("#sure");
  sure.showModal();
  sure.addEventListener(
    "close",
    () =>
      sure.returnValue === "yes" &&
      attempt(async () => {
        await ask(`/api/avatars/${id}`, "DELETE");
        location.replace("/gallery");
      }),
    { once: true },
  );
});
