// Replaces parts of the page with their current state on the server.

const hovers = matchMedia("(hover: hover)");
const sources = new WeakMap(); // element -> its HTML as the server sent it

/** Replaces the selected elements. An element with the focus or the pointer is left for next time. */
export async function refresh(selector) {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (response.status === 403) location.reload(); // the session has expired: the page asks for the password
  if (!response.ok) throw new Error("The bot does not answer. Please try again in a moment.");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const old = [...document.querySelectorAll(selector)];
  const current = [...page.querySelectorAll(selector)];
  if (old.length !== current.length) {
    document.querySelector("#page").replaceWith(page.querySelector("#page"));
    return;
  }
  for (const [i, element] of old.entries()) {
    const isPage = element.id === "page";
    const inUse = element.contains(document.activeElement) || (hovers.matches && element.matches(":hover"));
    if (!isPage && inUse) continue;
    const source = current[i].outerHTML;
    if (sources.get(element) === source) continue;
    const replacement = document.adoptNode(current[i]);
    sources.set(replacement, source);
    element.replaceWith(replacement);
  }
}
