// Charts of several sensors on one time axis: zoom, pan, values under the cursor. uPlot draws.
/* global uPlot */
import { clock, zone, zoneName } from "./times.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (index) => css(`--s${(index % 8) + 1}`);
const short = (id) => id.slice(id.lastIndexOf("-") + 1);
const height = () => Math.max(240, Math.round(innerHeight * 0.3));
export const LEAST_SPAN = 3600; // [s]
export const MOST_SPAN = 1096 * 86400;

// Every chart of the page, and the lines that nobody wants to see, in all of them and until the tab is closed.
const charts = new Set();
const kept = `hidden ${location.pathname}`;
const hidden = new Set(read());

function read() {
  try { return JSON.parse(sessionStorage.getItem(kept) ?? "[]"); } catch { return []; }
}

function hide(key, isHidden) {
  hidden[isHidden ? "add" : "delete"](key);
  try { sessionStorage.setItem(kept, JSON.stringify([...hidden])); } catch { /* not kept */ }
  charts.forEach((one) => one.showLines());
}

// lines: [{label, key, values, index, dash, width, alpha, low, high}]; lines of one key (else their label) are hidden
// together; decorate(u, context): drawn below the lines.
export class Chart {
  constructor(element, { sync, scale = linear, axis = {}, thresholds = [], decorate = () => {}, zoomed = () => {}, describe }) {
    Object.assign(this, { element, sync, scale, axis, thresholds, decorate, zoomed, describe });
    this.plot = null;
    this.observer = new ResizeObserver(() => this.plot?.setSize({ width: element.clientWidth, height: height() }));
    this.observer.observe(element);
    charts.add(this);
  }

  draw(x, lines, from, to) {
    this.last = [x, lines, from, to];
    const data = [x];
    const series = [{ label: "Time", value: (_, moment) => (moment == null ? zoneName() : clock(moment * 1000)) }];
    const bands = [];
    this.keys = [null];
    for (const line of lines) {
      const key = line.key ?? line.label;
      const show = !hidden.has(key);
      if (line.low) {
        const at = data.length;
        data.push(line.high, line.low);
        const edge = { stroke: "transparent", points: { show: false }, class: "band", show };
        series.push({ ...edge, label: `${line.label} largest` }, { ...edge, label: `${line.label} least` });
        this.keys.push(key, key);
        bands.push({ series: [at, at + 1], fill: `${colour(line.index)}33` });
      }
      data.push(line.values);
      this.keys.push(key);
      series.push({
        label: line.label,
        show,
        stroke: colour(line.index) + (line.alpha ?? ""),
        class: line.quiet ? "quiet" : "line",
        width: line.width ?? 1.5,
        dash: line.dash,
        points: { show: line.values.filter((value) => value != null).length < 60 && !line.dash, size: 4 },
        value: (_, value) => (value == null ? "–" : Number(value.toPrecision(4)).toString()),
      });
    }
    this.plot?.destroy();
    this.plot = new uPlot(this.options(series, bands, from, to), data, this.element);
    this.plot.over.setAttribute("role", "img");
    this.plot.over.setAttribute("aria-label", this.describe(lines));
    pannable(this.plot, (range) => this.zoomed(...range));
    zoomable(this.plot, (range) => this.zoomed(...range));
  }

  showLines() {
    this.plot?.series.forEach((one, k) => {
      const show = !hidden.has(this.keys[k]);
      if (k && one.show !== show) this.plot.setSeries(k, { show }, false);
    });
  }

  redraw() {
    if (this.last) this.draw(...this.last);
  }

  clear() {
    this.plot?.destroy();
    this.plot = this.last = null;
  }

  options(series, bands, from, to) {
    const hours = {
      values: (_, moments) => moments.map((moment, k) => label(moment, moments[k - 1])),
      label: zoneName(), labelSize: 20, labelFont: "13px system-ui, sans-serif", labelGap: 0,
    };
    const axis = { stroke: css("--muted"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") } };
    return {
      width: this.element.clientWidth,
      height: height(),
      series,
      bands,
      tzDate: (moment) => uPlot.tzDate(new Date(moment * 1000), zone()),
      scales: { x: { min: from, max: to }, y: this.scale() },
      axes: [{ ...axis, ...hours }, { ...axis, size: 60, ...this.axis }],
      cursor: { sync: this.sync ? { key: this.sync } : undefined, drag: { x: true, y: false, setScale: false } },
      legend: { live: true },
      hooks: {
        drawClear: [(plot) => this.decorate(plot, plot.ctx)],
        draw: [(plot) => this.thresholds.forEach(([value, name]) => threshold(plot, value, css(name)))],
        setSelect: [(plot) => this.selected(plot)],
        setSeries: [(_, k, { show }) => { if (show !== undefined) hide(this.keys[k], !show); }],
      },
    };
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 5) return;
    const range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.zoomed(...range);
  }
}

export function shade(plot, from, to, style) {
  const [left, right] = [from, to].map((moment) => plot.valToPos(moment, "x", true));
  fill(plot, left, Math.max(2, right - left), plot.bbox.height, style);
}

export function tick(plot, moment, style) {
  fill(plot, plot.valToPos(moment, "x", true) - 1, 2, 8, style);
}

// From the plot's top down, and nothing beside the plot.
function fill(plot, x, width, down, style) {
  const { left, top, width: most } = plot.bbox;
  const [begin, end] = [Math.max(left, x), Math.min(left + most, x + width)];
  plot.ctx.fillStyle = style;
  if (end > begin) plot.ctx.fillRect(begin, top, end - begin, down);
}

export const shortName = (id) => `Sensor ${short(id)}`;
export const palette = css;

function threshold(plot, value, style) {
  const y = plot.valToPos(value, "y", true);
  if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) return;
  plot.ctx.save();
  plot.ctx.strokeStyle = style;
  plot.ctx.setLineDash([6, 4]);
  plot.ctx.beginPath();
  plot.ctx.moveTo(plot.bbox.left, y);
  plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
  plot.ctx.stroke();
  plot.ctx.restore();
}

// What stands below the axis: the time, the day where it is another one, and the zone's name where the clock was put.
export function label(moment, before) {
  const shown = (options, at) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone() }).format(new Date(at * 1000));
  const day = { day: "numeric", month: "short" };
  const time = shown({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, moment);
  const date = shown(day, moment);
  if (before === undefined) return time === "00:00" ? date : `${time}\n${date}`;
  if (moment - before >= 28 * 86400) return shown({ month: "short", year: "numeric" }, moment);
  const name = zoneName(moment * 1000);
  const isPut = name !== zoneName(before * 1000) && moment - before < 86400;
  if (shown(day, before) === date || isPut) return isPut ? `${time}\n${name}` : time;
  return time === "00:00" ? date : `${time}\n${date}`;
}

function fromZero(_, low, high) {
  return [Math.min(0, low ?? 0), Math.max(1, (high ?? 1) * 1.05)];
}

export const linear = () => ({ range: fromZero });
export const logarithmic = () => ({ distr: 3 });
// Linear near the thresholds, logarithmic far above them.
const STEPS = [0, 1, 2, 5, 10, 100, 1000, 10000];
export const steps = { splits: (plot) => STEPS.filter((value) => value <= plot.scales.y.max), values: (_, values) => values };
export const thresholded = () => ({ distr: 4, asinh: 1, range: (_, low, high) => [0, Math.max(3, (high ?? 1) * 1.2)] });

// Shift and drag moves the view.
function pannable(plot, moved) {
  plot.over.addEventListener("mousedown", (down) => {
    if (!down.shiftKey) return;
    down.preventDefault();
    down.stopImmediatePropagation();
    const { min, max } = plot.scales.x;
    const perPixel = (max - min) / plot.over.clientWidth;
    let by = 0;
    const move = (event) => {
      by = (down.clientX - event.clientX) * perPixel;
      plot.setScale("x", { min: min + by, max: max + by });
    };
    const up = () => {
      removeEventListener("mousemove", move);
      if (by) moved([min + by, max + by]);
    };
    addEventListener("mousemove", move);
    addEventListener("mouseup", up, { once: true });
  }, { capture: true });
}

// The wheel zooms around what is under the cursor; a page that is being scrolled past goes on being scrolled.
let scrolled = 0;
addEventListener("wheel", (event) => { if (!event.target.closest?.(".u-over")) scrolled = event.timeStamp; }, { passive: true });

function zoomable(plot, zoomed) {
  let settled = 0;
  plot.over.addEventListener("wheel", (event) => {
    if (event.timeStamp - scrolled < 300) {
      scrolled = event.timeStamp;
      return;
    }
    event.preventDefault();
    const turned = Math.max(-100, Math.min(100, event.deltaY * (event.deltaMode === 1 ? 33 : 1))); // lines, or pixels
    const { min, max } = plot.scales.x;
    const moment = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x");
    const span = Math.min(MOST_SPAN, Math.max(LEAST_SPAN, (max - min) * 1.25 ** (turned / 100)));
    const low = moment - ((moment - min) / (max - min)) * span;
    plot.setScale("x", { min: low, max: low + span });
    clearTimeout(settled);
    settled = setTimeout(() => zoomed([low, low + span]), 200);
  });
}
