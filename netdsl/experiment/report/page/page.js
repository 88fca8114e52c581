"use strict";
// Sort a table by a click on its heading; failed runs stay at the end.
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => ({ row, value: row.cells[column]?.dataset.value ?? "" }));
      const failed = ({ row }) => row.classList.contains("failed");
      rows.sort((a, b) => failed(a) - failed(b) || (a.value === "") - (b.value === "")
        || compare(a.value, b.value) * (down ? -1 : 1));
      body.append(...rows.map(({ row }) => row));
    });
  });
}

function compare(a, b) {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
}

// A link to a number's origin opens what it lies in.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target?.scrollIntoView();
}

// Curves: one line a network, its mean over seeds, or one a seed.
function chart(section, data) {
  const form = section.querySelector("form"), place = section.querySelector(".chart");
  const legend = section.querySelector(".legend"), readout = section.querySelector(".readout");
  const boxes = data.rows.map((row) => {
    const label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    const key = node("svg", { width: 26, height: 10 });
    key.append(node("line", { x1: 0, x2: 26, y1: 5, y2: 5, ...stroke(row) }));
    label.append(box, key, row.name);
    legend.append(label);
    return box;
  });
  const draw = () => paint(place, readout, data, {
    measure: data.measures[form.measure.value],
    seeds: form.seeds.checked,
    rows: data.rows.filter((_, i) => boxes[i].checked),
  });
  const set = (on) => { boxes.forEach((box) => { box.checked = on; }); draw(); };
  form.all.addEventListener("click", () => set(true));
  form.none.addEventListener("click", () => set(false));
  section.addEventListener("change", draw);
  new ResizeObserver(draw).observe(place);
  draw();
}

function node(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function stroke(row) {
  return { stroke: row.colour, "stroke-width": 2, fill: "none", "stroke-dasharray": row.dash };
}

// What is drawn of a row: the mean of the finished seeds over the epochs that all of them have.
function lines(row, { measure, seeds }) {
  const runs = row.runs.map((run) => ({ name: `${row.name}, seed ${run.seed}`, row, values: run[measure.key], done: run.state === "finished" }));
  const done = runs.filter((run) => run.done);
  if (seeds || !done.length) return runs.map((run) => run.done ? run : { ...run, name: `${run.name} (not finished)`, faint: true });
  const length = Math.min(...done.map((run) => run.values.length));
  const mean = (i) => done.reduce((sum, run) => sum + run.values[i], 0) / done.length;
  return [{ name: row.name, row, values: Array.from({ length }, (_, i) => mean(i)) }];
}

function steps(low, high, number) {
  const rough = (high - low || 1) / number, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

// A few losses so large that all others would be a line are cut off.
function range(numbers, percent) {
  if (!numbers.length) return [0, 1, false];
  const sorted = [...numbers].sort((a, b) => a - b), high = sorted.at(-1);
  const usual = sorted[Math.floor(0.9 * (sorted.length - 1))], cut = !percent && usual > 0 && high > 4 * usual && sorted.length > 9;
  return [sorted[0], cut ? 1.5 * usual : high, cut];
}

function paint(place, readout, data, chosen) {
  const shown = chosen.rows.flatMap((row) => lines(row, chosen)), scale = chosen.measure.percent ? 100 : 1;
  const width = Math.max(280, place.clientWidth), height = Math.min(420, Math.max(260, width * 0.5));
  const box = { left: 56, right: width - 12, top: 12, bottom: height - 40 };
  const numbers = shown.flatMap((line) => line.values.map((value) => value * scale));
  const last = Math.max(1, ...shown.map((line) => line.values.length));
  const [low, high, cut] = range(numbers, chosen.measure.percent);
  const pad = (high - low || 1) * 0.05;
  const x = (epoch) => last === 1 ? (box.left + box.right) / 2 : box.left + (epoch - 1) / (last - 1) * (box.right - box.left);
  const y = (value) => box.bottom - (Math.min(value, high + pad) - low + pad) / (high - low + 2 * pad) * (box.bottom - box.top);
  const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "font-size": 12, "font-family": "inherit", fill: "#333" });
  svg.setAttribute("aria-label", `${chosen.measure.name} per epoch`);
  for (const value of steps(low - pad, high + pad, 5)) {
    svg.append(node("line", { x1: box.left, x2: box.right, y1: y(value), y2: y(value), stroke: "#e4e4e4" }),
      node("text", { x: box.left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)));
  }
  for (const epoch of steps(1, last, width / 90).filter((n) => n >= 1 && Number.isInteger(n)))
    svg.append(node("text", { x: x(epoch), y: box.bottom + 16, "text-anchor": "middle" }, epoch));
  svg.append(node("path", { d: `M${box.left},${box.top}V${box.bottom}H${box.right}`, stroke: "#555", fill: "none" }),
    node("text", { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle" }, "epoch"),
    node("text", { x: -(box.top + box.bottom) / 2, y: 13, "text-anchor": "middle", transform: "rotate(-90)" }, chosen.measure.name + (scale === 100 ? ", %" : "") + (cut ? `, cut off at ${short(high)}` : "")));
  for (const line of shown) {
    const points = line.values.map((value, i) => [x(i + 1), y(value * scale)]);
    svg.append(node("polyline", { points: points.join(" "), ...stroke(line.row), opacity: line.faint ? 0.45 : 1, class: "line" }));
    if (points.length === 1) svg.append(node("circle", { cx: points[0][0], cy: points[0][1], r: 4, fill: line.row.colour }));
  }
  const cursor = node("line", { y1: box.top, y2: box.bottom, stroke: "#888", visibility: "hidden" });
  svg.append(cursor);
  svg.addEventListener("pointermove", (event) => {
    const at = (event.clientX - svg.getBoundingClientRect().left - box.left) / (box.right - box.left);
    const epoch = Math.min(last, Math.max(1, Math.round(1 + at * (last - 1))));
    Object.entries({ x1: x(epoch), x2: x(epoch), visibility: "visible" }).forEach(([key, value]) => cursor.setAttribute(key, value));
    const said = shown.filter((line) => line.values.length >= epoch)
      .map((line) => `${line.name} ${chosen.measure.percent ? (line.values[epoch - 1] * 100).toFixed(2) : line.values[epoch - 1].toPrecision(3)}`);
    readout.textContent = `epoch ${epoch}: ${said.join(" · ")}`;
  });
  place.replaceChildren(svg);
}

function short(value) {
  return String(Number(value.toPrecision(4)));
}

document.querySelectorAll("section > .wide > table").forEach(sortable);
const data = document.getElementById("data");
if (data) chart(document.getElementById("curves"), JSON.parse(data.textContent));
addEventListener("hashchange", reveal);
if (location.hash) reveal();
document.documentElement.dataset.ready = "yes";
