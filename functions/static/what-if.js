// A leak that is not there: chosen on the plan or by numbers, simulated by the API, drawn.
import { Chart, shortName } from "./charts.js";
import { now } from "./times.js";

const form = document.getElementById("leak");
const answer = document.getElementById("answer");
const root = document.body.dataset.root;
const field = (name) => form.elements.namedItem(name);
const chart = new Chart(document.getElementById("ppmv"), {
  describe: () => "What the sensors would read above their background",
  zoomed: (low, high) => chart.plot.setScale("x", { min: low, max: high }),
});

const SVG = "http://www.w3.org/2000/svg";
const crosses = [["plan", "x", "y"], ["elevation", "x", "z"]].map(([id, across, up]) => {
  const picture = document.getElementById(id).querySelector("svg");
  const cross = document.createElementNS(SVG, "path");
  cross.setAttribute("class", "cross");
  picture.append(cross);
  picture.addEventListener("click", (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    field(across).value = x.toFixed(1);
    field(up).value = (id === "elevation" ? Math.max(0, -y) : -y).toFixed(1);
    if (field("point")) field("point").value = "";
    place();
    simulate();
  });
  return { cross, across, up, size: picture.viewBox.baseVal.width / 40 };
});

function place() {
  for (const { cross, across, up, size } of crosses) {
    const [x, y] = [Number(field(across).value), -Number(field(up).value)];
    cross.setAttribute("d", `M${x - size} ${y - size}L${x + size} ${y + size}M${x - size} ${y + size}L${x + size} ${y - size}`);
  }
}

async function simulate() {
  const days = Number(field("days").value);
  const end = new Date(Math.floor(now() / 600000) * 600000);
  const start = new Date(end - days * 86400000);
  const number = (name) => Number(field(name).value);
  const onset = new Date(start.getTime() + (days * 86400000) / 6);
  const leak = { x: number("x"), y: number("y"), z: number("z"), rateKgS: number("rate") / 3.6e6, onset: onset.toISOString() };
  answer.textContent = "Simulating…";
  try {
    const found = await fetch(`${root}api/templates/${form.dataset.template}/simulate`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ leak, from: start.toISOString(), to: end.toISOString() }),
    });
    const body = await found.json();
    if (!found.ok) throw new Error(body.detail ?? `the server answers ${found.status}`);
    draw(body);
  } catch (error) {
    answer.textContent = error.message;
    chart.clear(); // those curves were of another leak
    if (error instanceof TypeError) dispatchEvent(new Event("refresh")); // no answer: the page finds out why
  }
}

function draw(body) {
  const x = body.times.map((moment) => Date.parse(moment) / 1000);
  const lines = body.sensors.map((id, index) => ({ label: shortName(id), index, values: body.ppmv[index] }));
  chart.draw(x, lines, x[0], x.at(-1));
  const most = body.ppmv.map((row) => row.reduce((a, b) => Math.max(a, b), 0));
  const best = most.indexOf(Math.max(...most));
  const known = Math.round(100 * body.currentKnown);
  answer.textContent = `${shortName(body.sensors[best])} would read most: up to ${Number(most[best].toPrecision(3))} ppmv above its background. `
    + `The current was measured ${known} % of the time.`;
}

form.addEventListener("submit", (event) => { event.preventDefault(); place(); simulate(); });
form.addEventListener("input", (event) => {
  if (event.target.name === "point" && event.target.value) {
    ["x", "y", "z"].forEach((name, k) => { field(name).value = event.target.value.split(" ")[k]; });
  }
  place();
});
addEventListener("theme", () => chart.redraw());
place();
simulate();
