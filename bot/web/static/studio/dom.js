// What every part of the studio looks up.

export const find = (selector, root = document) => root.querySelector(selector);

export const form = find("#paint");
export const mayPaint = !find("button[type=submit]", form).disabled;

/** Tells those who do not see it. */
export function tell(text) {
  find("#news").textContent = text;
}

export function complain(text) {
  const problem = find("#problem");
  problem.textContent = text;
  if (text) problem.scrollIntoView({ block: "nearest" });
}
