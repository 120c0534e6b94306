// Opens a picture that was saved from here and is dropped onto the page, or chosen with a button.

import { imageOf, pageOf } from "./common.js";
import { say } from "./words.js";

const TYPES = ["image/png"];

const dialog = document.createElement("dialog");
dialog.className = "opened";
dialog.setAttribute("aria-labelledby", "opened-message");
dialog.innerHTML = `
  <img alt="" width="192" height="192" hidden>
  <p id="opened-message" role="status"></p>
  <form method="dialog"><a class="button" hidden></a> <button class="outlined"></button></form>`;
dialog.querySelector("a").textContent = say("script-open-it");
dialog.querySelector("button").textContent = say("script-open-close");
document.body.append(dialog);

const input = document.createElement("input");
input.type = "file";
input.accept = TYPES.join();
input.hidden = true;
const button = document.createElement("button");
button.type = "button";
button.className = "plain";
button.textContent = say("script-open-button");
button.addEventListener("click", () => input.click());
input.addEventListener("change", () => {
  if (input.files.length) openFile(input.files[0]);
  input.value = "";
});
document.querySelector(".bottom").prepend(button, input);

function show(message, avatar) {
  const [image, link] = [dialog.querySelector("img"), dialog.querySelector("a")];
  dialog.querySelector("p").textContent = message;
  image.hidden = link.hidden = !avatar;
  if (avatar) {
    image.src = imageOf(avatar);
    link.href = pageOf(avatar);
  }
  if (!dialog.open) dialog.showModal();
}

async function openFile(file) {
  if (!TYPES.includes(file.type)) return show(say("script-open-no-png"));
  show(say("script-open-opening"));
  try {
    const response = await fetch("/api/open", {
      method: "POST",
      headers: { "content-type": file.type || "application/octet-stream" },
      body: file,
    });
    const { error, message, avatar } = await response.json();
    show(error || message, avatar);
  } catch {
    show(say("script-request-silent"));
  }
}

const hasFile = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (hasFile(event)) event.preventDefault(); // allows the drop
});
document.addEventListener("drop", (event) => {
  if (!hasFile(event)) return;
  event.preventDefault(); // the browser would leave the page
  if (event.dataTransfer.files.length) openFile(event.dataTransfer.files[0]);
});
