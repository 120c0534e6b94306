// Line charts in SVG, of {x: [...], over, lines: [{name, values: [number or null, ...]}]} in a
// figure's data.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 44; // pixels for the numbers
const BOTTOM = 20;
const EDGE = 8;

const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const show = (value) => (value == null ? "–" : number.format(value));
const rounded = (value) => value.toLocaleString("en", { maximumFractionDigits: 1 });
const places = {
  minutes: (value) => (value > -0.05 ? "now" : `${rounded(-value)} min ago`),
  thousands: (value) => `${rounded(value)}k images`,
};

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Round numbers that span from low to high, about four of them. */
function ticks(low, high) {
  const rough = (high - low || Math.abs(high) || 1) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.floor(low / step);
  const count = Math.max(1, Math.ceil(high / step - 1e-9) - first);
  return Array.from({ length: count + 1 }, (_, i) => (first + i) * step);
}

/** Draws the figure's chart, anew where it is drawn already. */
export function draw(figure) {
  const { x, over, lines } = JSON.parse(figure.dataset.chart);
  const place = places[over];
  const svg = figure.querySelector(".plot");
  const outputs = figure.querySelectorAll("output");
  const { clientWidth: width, clientHeight: height } = svg;
  const values = lines.flatMap((line) => line.values).filter((value) => value != null);
  if (!width) return;

  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  if (!values.length) {
    const middle = { x: width / 2, y: height / 2, "text-anchor": "middle" };
    svg.append(element("text", middle, "nothing yet"));
    return;
  }
  const highest = Math.max(...values);
  const lowest = Math.min(...values);
  // From zero, unless all that happens does so far above.
  const fromZero = lowest >= 0 && (lowest < 0.6 * highest || lowest === highest);
  const marks = ticks(fromZero ? 0 : lowest, highest || 1);
  const [low, high] = [marks[0], marks.at(-1)];
  const right = width - EDGE;
  const across = (value) => right - ((x.at(-1) - value) / (x.at(-1) - x[0] || 1)) * (right - LEFT);
  const up = (value) => height - BOTTOM - ((value - low) / (high - low)) * (height - BOTTOM - EDGE);

  for (const mark of marks) {
    const y = up(mark);
    svg.append(element("path", { class: "rule", d: `M${LEFT} ${y}H${right}` }));
    svg.append(element("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, show(mark)));
  }
  const ends = [[LEFT, x[0], "start"], [right, x.at(-1), "end"]];
  for (const [end, value, anchor] of ends) {
    if (x.length > 1 || anchor === "end") {
      svg.append(element("text", { x: end, y: height - 4, "text-anchor": anchor }, place(value)));
    }
  }
  lines.forEach(({ values }, line) => {
    // what the log lacks is a gap, and a value between two gaps a dot
    const path = values.map((value, i) => {
      if (value == null) return "";
      const pen = values[i - 1] == null ? "M" : "L";
      const alone = pen === "M" && values[i + 1] == null;
      return `${pen}${across(x[i]).toFixed(1)} ${up(value).toFixed(1)}${alone ? "h0" : ""}`;
    });
    svg.append(element("path", { class: `stroke-${line + 1}`, d: path.join("") }));
  });

  function dot(line, i) {
    const centre = { cx: across(x[i]), cy: up(lines[line].values[i]) };
    return element("circle", { class: `dot-${line + 1}`, r: 3.5, ...centre });
  }

  // Reading: the values at a place stand in the legend.
  const cursor = element("g", { class: "cursor" });
  svg.append(cursor);
  let at = x.length - 1;

  function read(i) {
    at = Math.min(Math.max(i, 0), x.length - 1);
    cursor.replaceChildren(
      element("path", { class: "rule", d: `M${across(x[at])} ${EDGE}V${height - BOTTOM}` }),
    );
    lines.forEach(({ values }, line) => {
      outputs[line].textContent = show(values[at]);
      if (values[at] != null) cursor.append(dot(line, at));
    });
    const left = across(x[at]) < width / 2;
    const beside = { x: across(x[at]) + (left ? 6 : -6), y: EDGE + 8 };
    cursor.append(element("text", { ...beside, "text-anchor": left ? "start" : "end" }, place(x[at])));
  }

  function rest() {
    at = x.length - 1;
    cursor.replaceChildren();
    lines.forEach(({ values }, line) => (outputs[line].textContent = show(values.at(-1))));
  }

  svg.onpointermove = (event) => {
    const pointer = event.clientX - svg.getBoundingClientRect().left;
    const far = (value) => Math.abs(across(value) - pointer);
    read(x.reduce((nearest, value, i) => (far(value) < far(x[nearest]) ? i : nearest), 0));
  };
  svg.onpointerleave = rest;
  svg.onblur = rest;
  svg.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -x.length, End: x.length }[event.key];
    if (!step) return;
    event.preventDefault();
    read(at + step);
  };
}

let width = 0;
new ResizeObserver(() => {
  if (width && width !== document.documentElement.clientWidth) {
    for (const figure of document.querySelectorAll(".chart")) draw(figure);
  }
  width = document.documentElement.clientWidth;
}).observe(document.documentElement);
