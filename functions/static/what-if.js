// A leak that is not there: chosen on the plan or by numbers, simulated by the API, drawn.
import { Chart, shortName } from "./charts.js";
import { now } from "./times.js";

const form = document.getElementById("leak");
const answer = document.getElementById("answer");
const found = document.getElementById("found");
const chances = document.getElementById("chances");
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

async function ask(what, body) {
  const response = await fetch(`${root}api/templates/${form.dataset.template}/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answered = await response.json();
  if (!response.ok) throw new Error(answered.detail ?? `the server answers ${response.status}`);
  return answered;
}

let asked = 0; // the newest question: the answer to an older one is not shown

async function simulate() {
  const question = ++asked;
  const days = Number(field("days").value);
  const end = new Date(Math.floor(now() / 600000) * 600000);
  const start = new Date(end - days * 86400000);
  const number = (name) => Number(field(name).value);
  const onset = new Date(start.getTime() + (days * 86400000) / 6);
  const release = { x: number("x"), y: number("y"), z: number("z"), rateKgS: number("rate") / 3.6e6 };
  answer.textContent = "Simulating…";
  found.textContent = "";
  chances.hidden = true;
  try {
    const leak = { ...release, onset: onset.toISOString() };
    const body = await ask("simulate", { leak, from: start.toISOString(), to: end.toISOString() });
    if (question !== asked) return;
    draw(body);
    found.textContent = "Would it be found?…";
    const chance = await ask("detectability", release);
    if (question === asked) tell(chance);
  } catch (error) {
    if (question !== asked) return;
    if (!found.textContent) chart.clear(); // those curves were of another leak
    (found.textContent ? found : answer).textContent = error.message;
    if (error instanceof TypeError) dispatchEvent(new Event("refresh")); // no answer: the page finds out why
  }
}

const percent = (share) => (share > 0.99 ? "over 99 %" : share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`);
const hours = (delay) => `${Number(delay.toPrecision(2))} h`;

function tell(body) {
  const blind = body.blind.length ? ` ${body.blind.map(shortName).join(", ")} cannot find it: no baseline yet.` : "";
  if (body.unknown !== null) {
    found.textContent = `Whether it would be found is not known: ${body.unknown}.`;
    return;
  }
  const of = (level, within) => body.chances.find((one) => one.level === level && one.withinHours === within);
  const first = of("Critical", 24);
  const soon = first.medianDelayHours === null ? "" : `, half of the time within ${hours(first.medianDelayHours)} where it is`;
  found.textContent = `It would be Critical within 24 h with a probability of ${percent(first.probability)}${soon}: `
    + `begun at ${body.moments} moments since ${body.from.slice(0, 10)}, in the measured currents.${blind}`;
  chances.tBodies[0].replaceChildren(...[6, 24, 72].map((within) => {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: `${within} h` }));
    for (const level of ["Warning", "Critical"]) {
      const { probability, medianDelayHours } = of(level, within);
      row.insertCell().textContent = percent(probability) + (medianDelayHours === null ? "" : `, ${hours(medianDelayHours)}`);
    }
    return row;
  }));
  chances.hidden = false;
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
for (const name of ["theme", "zone"]) addEventListener(name, () => chart.redraw());
place();
simulate();
