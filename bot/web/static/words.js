// The words of the page, in its language: messages from the page's JSON block, see
// `bot/i18n/scripts.py` for their form.

const messages = JSON.parse(document.querySelector("#words").textContent);

export const language = document.documentElement.lang;
const plurals = new Intl.PluralRules(language);

/** The message of this key, with its variables. */
export function say(key, facts = {}) {
  const message = messages[key];
  if (message === undefined) throw new Error(`there is no message ${key}`);
  return format(message, facts);
}

function format(message, facts) {
  if (typeof message === "string") return message;
  return message.map((part) => (typeof part === "string" ? part : fill(part, facts))).join("");
}

function fill({ name, variants, default: other }, facts) {
  const fact = facts[name];
  if (fact === undefined) throw new Error(`the message needs ${name}`);
  if (!variants) return String(fact);
  const category = typeof fact === "number" ? plurals.select(fact) : fact;
  return format(variants[fact] ?? variants[category] ?? variants[other], facts);
}

/** "pink hair, orange eyes", "ピンクの髪、オレンジの目" */
export const describe = ({ conditions }) =>
  Object.entries(conditions).map(([name, value]) => pair(value, name)).join(say("words-comma")) || say("card-face");

/** "pink hair", "ピンクの髪". Words that are not translated stay as they are, in English order. */
export function pair(value, attribute) {
  const [v, a] = [translated("value", value), translated("attribute", attribute)];
  return /^[\x00-\x7f]*$/.test(v + a) ? `${v} ${a}` : say("words-pair", { value: v, attribute: a });
}

/** As `value_name` and `attribute_name` in `bot/i18n/messages.py`. */
function translated(kind, name) {
  if (!/^[\w\- ]+$/.test(name)) return name;
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  if (kind === "attribute" && words.length > 1 && /^colou?r$/.test(words.at(-1))) words.pop();
  return messages[[kind, ...words].join("-")] ?? name;
}
