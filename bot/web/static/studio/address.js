// The address holds what is asked for (`?prompt=…&seed=…`) and what is seen: `#/id` a picture,
// `#/id+id+…` a sheet of them, `#/a~b` what lies between two.

const ID = "[a-z0-9]{1,32}";

export function readView() {
  const shown = location.hash.slice(2);
  if (!location.hash.startsWith("#/")) return { ids: [] };
  if (new RegExp(`^${ID}~${ID}$`).test(shown)) return { blend: true, ids: shown.split("~") };
  if (new RegExp(`^${ID}(\\+${ID}){0,8}$`).test(shown)) return { ids: shown.split("+") };
  return { ids: [] };
}

export function hashOf(view) {
  return view.ids.length ? `#/${view.ids.join(view.blend ? "~" : "+")}` : "";
}

export function readDraft() {
  const query = new URLSearchParams(location.search);
  const seed = query.get("seed") ?? "";
  return {
    prompt: query.get("prompt") ?? "",
    seed,
    // A link with nothing to see but a seed means that one.
    hold: history.state?.hold ?? (seed !== "" && readView().ids.length === 0),
  };
}

export const hasDraft = () => new URLSearchParams(location.search).has("prompt");

export function addressOf(draft, hash) {
  const query = new URLSearchParams();
  if (draft.prompt || hash) query.set("prompt", draft.prompt);
  if (draft.seed) query.set("seed", draft.seed);
  return `/${query.size ? `?${query}` : ""}${hash}`;
}

/** How many steps back there are to what this visit has seen. */
export const step = () => history.state?.step ?? 0;

// The draft that the picture shown was painted from: going back comes back to that one.
let own = readDraft();

/** Another view, one step further. */
export function push(view, draft) {
  const known = { step: step(), hold: own.hold };
  history.replaceState(known, "", addressOf(own, location.hash));
  own = draft;
  const state = { step: step() + 1, hold: draft.hold };
  history.pushState(state, "", addressOf(draft, hashOf(view)));
}

/** The same view, asked for in other words. */
export function amend(draft) {
  const state = { step: step(), hold: draft.hold };
  history.replaceState(state, "", addressOf(draft, location.hash));
}

/** After a step back or forth. */
export function arrive() {
  own = readDraft();
  return own;
}
