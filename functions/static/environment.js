// The sea below the readings, on the same time axis: what an estimation rests on.
import { Chart, linear } from "./charts.js";

const area = document.getElementById("sea");
const none = document.getElementById("no-sea");
const root = document.body.dataset.root;
const scales = {
  currentSpeedMS: linear,
  currentDirectionDeg: () => ({ range: [0, 360] }),
  waveHeightM: linear,
  wavePeriodS: linear,
  temperatureC: () => ({}), // the sea is never near 0 °C: what changes is seen
};
const charts = new Map();
let asked = null;

addEventListener("shown", async ({ detail }) => {
  const { low, high } = detail;
  const iso = (moment) => new Date(moment * 1000).toISOString();
  const query = new URLSearchParams({ from: iso(low), to: iso(high), points: "600" });
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(`${root}api/templates/${area.dataset.template}/environment?${query}`, { signal: asked.signal });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.detail ?? answer.status);
    draw(found, detail);
  } catch (error) {
    if (error.name === "AbortError") return;
    Object.keys(scales).forEach((name) => { document.getElementById(name).parentElement.hidden = true; });
    none.textContent = `The sea is not shown: ${error.message}`;
  }
});

function draw(found, { low, high, decorate, show }) {
  const x = found.times.map((moment) => Date.parse(moment) / 1000);
  let any = false;
  for (const [name, scale] of Object.entries(scales)) {
    const section = document.getElementById(name).parentElement;
    section.hidden = !found[name].some((value) => value !== null);
    if (section.hidden) continue;
    any = true;
    const words = section.querySelector("h3").textContent;
    if (!charts.has(name)) {
      const zoomed = (from, to) => show({ range: [from, to] });
      charts.set(name, new Chart(document.getElementById(name), { sync: "time", decorate, scale, zoomed, describe: () => `${words} over time` }));
    }
    charts.get(name).draw(x, [{ label: words.replace(/ \[.*/, ""), index: 0, values: found[name] }], low, high);
  }
  none.textContent = any ? "" : "Nothing was measured of the sea in this range.";
}

for (const kind of ["theme", "zone"]) addEventListener(kind, () => charts.forEach((one) => one.redraw()));
