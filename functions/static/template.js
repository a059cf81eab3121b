// The charts of a page: a range that is chosen, zoomed, moved and kept in the address; what is seen is fetched as fine
// as the screen shows it.
import "./download.js";
import { Chart, LEAST_SPAN, MOST_SPAN, linear, logarithmic, palette, shade, shortName, steps, thresholded, tick } from "./charts.js";
import { now } from "./times.js";

const DAY = 86400;
const area = document.getElementById("charts");
const { template, sensors, from, to, estimation } = area.dataset;
const wanted = new Set(sensors.split(" "));
const templates = template.split(" ");
const nameOf = templates.length > 1 ? (id) => id : shortName; // numbers alone are of one template
const root = document.body.dataset.root;
const loading = document.getElementById("loading");
const log = document.getElementById("log");
const seconds = (moment) => Math.floor(moment / 1000);
let asked = null;
let guessed = null; // curves of the likeliest hypotheses

const initial = () =>
  from ? [seconds(Date.parse(from)), Math.min(seconds(Date.parse(to)), seconds(now()))] : null;

let view = fromAddress() ?? (initial() ? { range: initial() } : { days: 7 });

const charts = {
  ppmv: chart("ppmv", { scale: () => (log.checked ? logarithmic() : linear()), describe: () => "Readings of the sensors over time" }),
  score: chart("score", {
    scale: thresholded,
    axis: steps,
    thresholds: [[1, "--warning"], [2, "--critical"]],
    describe: () => "Scores of the sensors over time, with the thresholds of Warning and Critical",
  }),
};

function chart(id, options) {
  const element = document.getElementById(id);
  element.addEventListener("dblclick", () => show(initial() ? { range: initial() } : { days: 7 }));
  return new Chart(element, { sync: "time", decorate, zoomed: (low, high) => show({ range: [low, high] }), ...options });
}

function range() {
  const end = seconds(now());
  return view.range ?? [end - view.days * DAY, end];
}

// --- the address

function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const days = Number(given.get("days"));
  if (days > 0) return { days: Math.min(days, MOST_SPAN / DAY) };
  const moments = ["from", "to"].map((name) => seconds(Date.parse(given.get(name) ?? "")));
  return moments.every(Number.isFinite) && moments[0] < moments[1] ? { range: bounded(...moments) } : null;
}

function toAddress() {
  const iso = (moment) => new Date(moment * 1000).toISOString().slice(0, 19) + "Z";
  const kept = view.days ? `days=${view.days}` : `from=${iso(view.range[0])}&to=${iso(view.range[1])}`;
  history.replaceState(null, "", `#${kept}`);
}

function bounded(low, high) {
  const middle = (low + high) / 2;
  const half = Math.min(MOST_SPAN, Math.max(LEAST_SPAN, high - low)) / 2;
  return [Math.round(middle - half), Math.round(middle + half)];
}

function show(next) {
  view = next.range ? { range: bounded(...next.range) } : next;
  toAddress();
  load();
}

// --- the data

async function load() {
  const [low, high] = range();
  const points = Math.min(2000, Math.max(300, charts.ppmv.element.clientWidth));
  const iso = (moment) => new Date(moment * 1000).toISOString();
  const query = new URLSearchParams({ from: iso(low), to: iso(high), points: String(Math.round(points)) });
  asked?.abort();
  asked = new AbortController();
  loading.textContent = "Loading…";
  area.dataset.range = `${low} ${high}`;
  mark();
  try {
    const found = await series(query);
    guessed ??= await curves();
    draw(found, low, high);
    loading.textContent = "";
    area.dataset.shown = location.hash.slice(1);
    dispatchEvent(new CustomEvent("shown", { detail: { low, high, decorate, show } }));
  } catch (error) {
    if (error.name !== "AbortError") loading.textContent = `Not loaded: ${error.message}`;
    if (error instanceof TypeError) dispatchEvent(new Event("refresh")); // no answer: the page finds out why
  }
}

// All sensors of the page's templates, on one time axis: the same query gives every template the same buckets.
async function series(query) {
  const answers = await Promise.all(templates.map(async (one) => {
    const answer = await fetch(`${root}api/templates/${one}/series?${query}`, { signal: asked.signal });
    if (!answer.ok) throw new Error((await answer.json()).detail ?? answer.status);
    return answer.json();
  }));
  const all = answers.flatMap((one) => one.sensors);
  return { ...answers[0], sensors: templates.length > 1 ? all.filter((one) => wanted.has(one.sensor)) : all };
}

async function curves() {
  if (!estimation) return [];
  const answer = await fetch(`${root}api/incidents/${estimation}`);
  if (!answer.ok) return [];
  const found = await answer.json();
  const times = (found.curves?.times ?? []).map((moment) => seconds(Date.parse(moment)));
  return (found.curves?.hypotheses ?? []).map((one) => ({ times, rows: new Map(found.sensors.map((id, k) => [id, one.ppmv[k]])) }));
}

function draw(found, low, high) {
  const start = seconds(Date.parse(found.start));
  const x = Array.from({ length: found.size }, (_, k) => start + k * found.bucketSeconds);
  const kept = found.sensors.map((one, index) => ({ ...one, index })).filter((one) => wanted.has(one.sensor));
  const positive = (values) => (log.checked ? values?.map((value) => (value > 0 ? value : null)) : values);
  const lines = kept.map((one) => ({
    label: nameOf(one.sensor), index: one.index, values: positive(one.mean), low: positive(one.least), high: positive(one.largest),
  }));
  guessed.forEach((one, rank) => kept.forEach((sensor) => lines.push({
    label: `${shortName(sensor.sensor)}, ${rank ? `hypothesis ${rank + 1}` : "likeliest leak"}`, key: `${shortName(sensor.sensor)}, model`,
    index: sensor.index, values: along(x, one.times, one.rows.get(sensor.sensor)), dash: [5, 4], width: rank ? 1 : 2, alpha: rank ? "77" : "", quiet: rank > 0,
  })));
  charts.ppmv.draw(x, lines, low, high);
  charts.score.draw(x, kept.flatMap((one) => [
    { label: nameOf(one.sensor), index: one.index, values: one.score },
    // Where the latch holds: what the sensor says now.
    { label: `${nameOf(one.sensor)}, not held`, key: nameOf(one.sensor), index: one.index, values: one.raw, dash: [1, 4], alpha: "cc", quiet: true },
  ]), low, high);
}

// A curve at other times: linear between its own, nothing outside of them.
function along(x, times, values) {
  let k = 0;
  return x.map((moment) => {
    if (!values || moment < times[0] || moment > times.at(-1)) return null;
    while (k < times.length - 2 && times[k + 1] < moment) k += 1;
    const share = (moment - times[k]) / (times[k + 1] - times[k] || 1);
    return values[k] + share * (values[k + 1] - values[k]);
  });
}

// --- what the page tells of the time

function decorate(plot) {
  for (const one of document.querySelectorAll("#incidents li, #charts[data-onset], #marks tr[data-onset]")) {
    shade(plot, seconds(Date.parse(one.dataset.onset)), seconds(Date.parse(one.dataset.last)), palette("--shade"));
  }
  for (const one of document.querySelectorAll("#events li")) tick(plot, seconds(Date.parse(one.dataset.at)), palette("--accent"));
}

function mark() {
  for (const button of area.querySelectorAll("[data-days]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.days) === view.days));
  }
}

// --- what people do

area.addEventListener("click", (event) => {
  const { days, pan, zoom } = event.target.dataset;
  const [low, high] = range();
  if (days) show({ days: Number(days) });
  if (pan) show({ range: [low + (pan * (high - low)) / 2, high + (pan * (high - low)) / 2] });
  if (zoom) show({ range: [low - ((zoom - 1) * (high - low)) / 2, high + ((zoom - 1) * (high - low)) / 2] });
});
log.addEventListener("change", load);
addEventListener("hashchange", () => { view = fromAddress() ?? view; load(); });
addEventListener("changed", () => load()); // the page has news
addEventListener("theme", () => Object.values(charts).forEach((one) => one.redraw()));
addEventListener("zone", () => Object.values(charts).forEach((one) => one.redraw()));
load();
