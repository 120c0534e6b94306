// A run's sample grids: a slider selects one, from the first to the newest.

export function addSlider(figure) {
  const slider = figure.querySelector("input");
  if (!slider || figure.dataset.ready) return;
  figure.dataset.ready = "";
  const files = JSON.parse(figure.dataset.grids);
  const image = figure.querySelector("img");
  const folder = image.src.slice(0, image.src.lastIndexOf("/") + 1);
  slider.addEventListener("input", async () => {
    const file = files[slider.value];
    const [, whole, rest] = /(\d+)k(\d*)/.exec(file);
    const thousands = Number(`${whole}.${rest}`);
    figure.querySelector("output").textContent = thousands.toLocaleString("en");
    const next = new Image();
    next.src = folder + file;
    await next.decode().catch(() => {}); // keeps the previous grid until this one is loaded
    if (files[slider.value] !== file) return;
    image.src = next.src;
    image.alt = `Samples after ${thousands} thousand images`;
  });
}
