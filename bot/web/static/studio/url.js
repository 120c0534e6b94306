// The URL holds the form (`?prompt=…&seed=…`) and the view: `#/id` is a picture, `#/id+id+…` a sheet,
// `#/a~b` a morph.

const ID = "[a-z0-9]{1,32}";

export function readView() {
  const ids = location.hash.slice(2);
  if (!location.hash.startsWith("#/")) return { ids: [] };
  if (new RegExp(`^${ID}~${ID}$`).test(ids)) return { morph: true, ids: ids.split("~") };
  if (new RegExp(`^${ID}(\\+${ID}){0,8}$`).test(ids)) return { ids: ids.split("+") };
  return { ids: [] };
}

export function hashOf(view) {
  return view.ids.length ? `#/${view.ids.join(view.morph ? "~" : "+")}` : "";
}

export function readDraft() {
  const query = new URLSearchParams(location.search);
  const seed = query.get("seed") ?? "";
  return {
    prompt: query.get("prompt") ?? "",
    seed,
    // A link with a seed and no picture locks that seed.
    lock: history.state?.lock ?? (seed !== "" && readView().ids.length === 0),
  };
}

export const hasDraft = () => new URLSearchParams(location.search).has("prompt");

export function urlOf(draft, hash) {
  const query = new URLSearchParams();
  if (draft.prompt || hash) query.set("prompt", draft.prompt);
  if (draft.seed) query.set("seed", draft.seed);
  return `/${query.size ? `?${query}` : ""}${hash}`;
}

/** Number of steps that undo can take. */
export const step = () => history.state?.step ?? 0;

// The draft of the view on display, which going back restores.
let current = readDraft();

/** Adds a view to the history. */
export function push(view, draft) {
  const previous = { step: step(), lock: current.lock };
  history.replaceState(previous, "", urlOf(current, location.hash));
  current = draft;
  const state = { step: step() + 1, lock: draft.lock };
  history.pushState(state, "", urlOf(draft, hashOf(view)));
}

/** Replaces the draft of the current view. */
export function amend(draft) {
  const state = { step: step(), lock: draft.lock };
  history.replaceState(state, "", urlOf(draft, location.hash));
}

/** Reads the draft after a step back or forward. */
export function readStep() {
  current = readDraft();
  return current;
}
