// Elements and messages shared by the modules of the studio.

export const find = (selector, root = document) => root.querySelector(selector);

export const form = find("#paint");
export const mayPaint = !find("button[type=submit]", form).disabled;

/** Announces a change to screen readers. */
export function announce(text) {
  find("#news").textContent = text;
}

export function showError(text) {
  const problem = find("#problem");
  problem.textContent = text;
  if (text) problem.scrollIntoView({ block: "nearest" });
}
