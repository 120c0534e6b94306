// The bot's answers. What goes wrong is an Error whose message can be shown as it is.

export async function get(address, options) {
  return read(await ask(address, options));
}

export async function post(address, body = {}) {
  const headers = { "content-type": "application/json" };
  return read(await ask(address, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** The answer itself, for what is no JSON. */
export async function fetchFile(address) {
  const answer = await ask(address);
  if (!answer.ok) await read(answer);
  return answer;
}

async function ask(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The bot does not answer. Please try again in a moment.");
  }
}

async function read(answer) {
  const body = await answer.json().catch((error) => {
    throw error.name === "AbortError" ? error : new Error("The bot's answer was cut off.");
  });
  if (!answer.ok) throw new Error(body.error);
  return body;
}

/** A picture that is there as soon as it is shown. */
export async function loadImage(address, alt, size) {
  const image = new Image(size, size);
  image.alt = alt;
  image.src = address;
  await image.decode().catch(() => {
    throw new Error("The picture did not arrive. It may have been deleted.");
  });
  return image;
}
