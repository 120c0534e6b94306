// Says how many pictures are painted before the visitor's next one, while the bot is busy.

import { request } from "./common.js";
import { say } from "./words.js";

const PATIENCE = 1000; // milliseconds before the first question: most pictures are painted by then
const PAUSE = 2000; // milliseconds between two questions

/** Calls `show` with a text whenever the position changes; returns the function that ends it. */
export function watchQueue(show) {
  let timer = setTimeout(ask, PATIENCE);
  let ended = false;

  async function ask() {
    const { before } = await request("/api/queue").catch(() => ({ before: 0 })); // the text is not essential
    if (ended) return;
    show(before ? say("script-queue-waiting", { count: before }) : "");
    timer = setTimeout(ask, PAUSE);
  }

  return () => {
    ended = true;
    clearTimeout(timer);
    show("");
  };
}
