// The matrix page. This script moves the focus between cells with the arrow keys.

const table = document.querySelector(".matrix");
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

table.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell || event.altKey || event.ctrlKey || event.metaKey) return;
  const next = table.rows[cell.parentElement.rowIndex + step[0]]?.cells[cell.cellIndex + step[1]];
  const link = next?.querySelector("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
});
