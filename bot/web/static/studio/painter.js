// Who paints: the bot, or this browser if its switch is on. Children of a picture are painted where
// it was.

import { post } from "./api.js";
import * as browser from "./browser.js";

/** Pictures of a prompt. The bot paints if the browser fails. */
export async function create(body) {
  if (!browser.isOn()) return post("/api/avatars", body);
  try {
    return await browser.create(body);
  } catch (error) {
    if (!browser.isFailure(error)) throw error;
    browser.fail(error);
    return post("/api/avatars", body);
  }
}

export const recolor = (avatar, wish) =>
  avatar.local ? browser.recolor(avatar, wish) : post(`/api/avatars/${avatar.id}/recolour`, { wish });

export const vary = (avatar) =>
  avatar.local ? browser.vary(avatar) : post(`/api/avatars/${avatar.id}/variations`);

export const reshape = (avatar, shape) =>
  avatar.local ? browser.reshape(avatar, shape) : post(`/api/avatars/${avatar.id}/shape`, { shape });

export function mix(a, b) {
  if (a.startsWith("local") || b.startsWith("local")) throw new Error(browser.words.keepFirst);
  return post("/api/mix", { a, b });
}
