// Line charts in SVG. The data of a figure is
// {x: [...], x_unit, lines: [{name, values: [number or null, ...]}]}.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 44; // pixels for the labels
const BOTTOM = 20;
const EDGE = 8;

const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const show = (value) => (value == null ? "–" : number.format(value));
const rounded = (value) => value.toLocaleString("en", { maximumFractionDigits: 1 });
const formatX = {
  minutes: (value) => (value > -0.05 ? "now" : `${rounded(-value)} min ago`),
  thousands: (value) => `${rounded(value)}k images`,
};

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** About four round numbers that span from low to high. */
function ticks(low, high) {
  const rough = (high - low || Math.abs(high) || 1) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.floor(low / step);
  const count = Math.max(1, Math.ceil(high / step - 1e-9) - first);
  return Array.from({ length: count + 1 }, (_, i) => (first + i) * step);
}

/** Draws or redraws the figure's chart. */
export function draw(figure) {
  const { x, x_unit: unit, lines } = JSON.parse(figure.dataset.chart);
  const format = formatX[unit];
  const svg = figure.querySelector(".plot");
  const outputs = figure.querySelectorAll("output");
  const { clientWidth: width, clientHeight: height } = svg;
  const values = lines.flatMap((line) => line.values).filter((value) => value != null);
  if (!width) return;

  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  if (!values.length) {
    const middle = { x: width / 2, y: height / 2, "text-anchor": "middle" };
    svg.append(element("text", middle, "no data yet"));
    return;
  }
  const highest = Math.max(...values);
  const lowest = Math.min(...values);
  // Start at zero unless all values are far above it.
  const fromZero = lowest >= 0 && (lowest < 0.6 * highest || lowest === highest);
  const marks = ticks(fromZero ? 0 : lowest, highest || 1);
  const [low, high] = [marks[0], marks.at(-1)];
  const right = width - EDGE;
  const toX = (value) => right - ((x.at(-1) - value) / (x.at(-1) - x[0] || 1)) * (right - LEFT);
  const toY = (value) => height - BOTTOM - ((value - low) / (high - low)) * (height - BOTTOM - EDGE);

  for (const mark of marks) {
    const y = toY(mark);
    svg.append(element("path", { class: "rule", d: `M${LEFT} ${y}H${right}` }));
    svg.append(element("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, show(mark)));
  }
  const ends = [[LEFT, x[0], "start"], [right, x.at(-1), "end"]];
  for (const [end, value, anchor] of ends) {
    if (x.length > 1 || anchor === "end") {
      svg.append(element("text", { x: end, y: height - 4, "text-anchor": anchor }, format(value)));
    }
  }
  lines.forEach(({ values }, line) => {
    // a missing value is a gap, and a value between two gaps a dot
    const path = values.map((value, i) => {
      if (value == null) return "";
      const command = values[i - 1] == null ? "M" : "L";
      const isolated = command === "M" && values[i + 1] == null;
      return `${command}${toX(x[i]).toFixed(1)} ${toY(value).toFixed(1)}${isolated ? "h0" : ""}`;
    });
    svg.append(element("path", { class: `stroke-${line + 1}`, d: path.join("") }));
  });

  function dot(line, i) {
    const center = { cx: toX(x[i]), cy: toY(lines[line].values[i]) };
    return element("circle", { class: `dot-${line + 1}`, r: 3.5, ...center });
  }

  // The legend shows the values at the cursor.
  const cursor = element("g", { class: "cursor" });
  svg.append(cursor);
  let index = x.length - 1;

  function readAt(i) {
    index = Math.min(Math.max(i, 0), x.length - 1);
    cursor.replaceChildren(
      element("path", { class: "rule", d: `M${toX(x[index])} ${EDGE}V${height - BOTTOM}` }),
    );
    lines.forEach(({ values }, line) => {
      outputs[line].textContent = show(values[index]);
      if (values[index] != null) cursor.append(dot(line, index));
    });
    const left = toX(x[index]) < width / 2;
    const label = { x: toX(x[index]) + (left ? 6 : -6), y: EDGE + 8 };
    cursor.append(element("text", { ...label, "text-anchor": left ? "start" : "end" }, format(x[index])));
  }

  function reset() {
    index = x.length - 1;
    cursor.replaceChildren();
    lines.forEach(({ values }, line) => (outputs[line].textContent = show(values.at(-1))));
  }

  svg.onpointermove = (event) => {
    const pointer = event.clientX - svg.getBoundingClientRect().left;
    const distance = (value) => Math.abs(toX(value) - pointer);
    readAt(x.reduce((nearest, value, i) => (distance(value) < distance(x[nearest]) ? i : nearest), 0));
  };
  svg.onpointerleave = reset;
  svg.onblur = reset;
  svg.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -x.length, End: x.length }[event.key];
    if (!step) return;
    event.preventDefault();
    readAt(index + step);
  };
}

let width = 0;
new ResizeObserver(() => {
  if (width && width !== document.documentElement.clientWidth) {
    for (const figure of document.querySelectorAll(".chart")) draw(figure);
  }
  width = document.documentElement.clientWidth;
}).observe(document.documentElement);
