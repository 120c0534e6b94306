// The page as it is by now.

const hovers = matchMedia("(hover: hover)");
const sources = new WeakMap(); // element -> its HTML as the server sent it

/**
 * Puts what the server shows now in the place of what the selector finds. What is being read or
 * used stays as it is until the next time.
 */
export async function renew(selector) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (answer.status === 403) location.reload(); // the session is over: the page asks for the password
  if (!answer.ok) throw new Error("The bot does not answer. Please try again in a moment.");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const old = [...document.querySelectorAll(selector)];
  const fresh = [...page.querySelectorAll(selector)];
  if (old.length !== fresh.length) {
    document.querySelector("#page").replaceWith(page.querySelector("#page"));
    return;
  }
  for (const [i, element] of old.entries()) {
    const whole = element.id === "page";
    const held = element.contains(document.activeElement) || (hovers.matches && element.matches(":hover"));
    if (!whole && held) continue;
    const source = fresh[i].outerHTML;
    if (sources.get(element) === source) continue;
    const adopted = document.adoptNode(fresh[i]);
    sources.set(adopted, source);
    element.replaceWith(adopted);
  }
}
