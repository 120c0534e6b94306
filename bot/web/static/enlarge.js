// Shows the picture of a link `.enlarge` in a dialog. Without this script, the link opens the file.

const dialog = document.querySelector("#enlarged");
const image = dialog.querySelector("img");

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.enlarge");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  event.preventDefault();
  link.focus(); // which gets the focus again when the dialog is closed
  image.src = link.href;
  image.alt = link.querySelector("img").alt;
  dialog.showModal();
});

dialog.addEventListener("click", (event) => event.target.closest("button") || dialog.close());
