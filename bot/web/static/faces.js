// What pages with pictures have in common.

/** "pink hair, orange eyes" */
export const describe = ({ conditions }) =>
  Object.entries(conditions).map(([name, value]) => `${value} ${name}`).join(", ") || "a face";

/** A tile from the page's own template, of {id, alt, favourites}. */
export function tile({ id, alt, favourites }) {
  const item = document.querySelector("#new-tile").content.firstElementChild.cloneNode(true);
  item.querySelector("a").href = `/a/${id}`;
  const image = item.querySelector("img");
  image.alt = alt;
  image.src = `/thumbs/${id}.webp`;
  const loved = item.querySelector(".loved");
  loved.hidden = !favourites;
  loved.querySelector("span").textContent = favourites;
  return item;
}

/** The answer's JSON, if it has any; an Error that people can read where it went wrong. */
export async function ask(address, method = "GET", body = undefined) {
  let answer;
  try {
    answer = await fetch(address, {
      method,
      headers: method === "GET" ? {} : { "content-type": "application/json" },
      body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
    });
  } catch {
    throw new Error("The bot does not answer. Please try again in a moment.");
  }
  if (answer.status === 204) return null;
  const read = await answer.json().catch(() => ({ error: "The bot's answer was cut off." }));
  if (!answer.ok) throw new Error(read.error);
  return read;
}
