// Charts of several sensors on one time axis: zoom, pan, values under the cursor. uPlot draws.
/* global uPlot */
import { zone } from "./times.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (index) => css(`--s${(index % 8) + 1}`);
const short = (id) => id.slice(id.lastIndexOf("-") + 1);
const HEIGHT = 240;

// lines: [{label, values, index, dash, width, alpha, low, high}]; decorate(u, context): drawn below the lines.
export class Chart {
  constructor(element, { sync, scale = linear, axis = {}, thresholds = [], decorate = () => {}, zoomed = () => {}, describe }) {
    Object.assign(this, { element, sync, scale, axis, thresholds, decorate, zoomed, describe });
    this.plot = null;
    this.observer = new ResizeObserver(() => this.plot?.setSize({ width: element.clientWidth, height: HEIGHT }));
    this.observer.observe(element);
  }

  draw(x, lines, from, to) {
    this.last = [x, lines, from, to];
    const data = [x];
    const series = [{ value: (_, moment) => (moment == null ? "–" : time(moment)) }];
    const bands = [];
    for (const line of lines) {
      if (line.low) {
        const at = data.length;
        data.push(line.high, line.low);
        const hidden = { stroke: "transparent", points: { show: false }, class: "band" };
        series.push({ ...hidden, label: `${line.label} largest` }, { ...hidden, label: `${line.label} least` });
        bands.push({ series: [at, at + 1], fill: `${colour(line.index)}33` });
      }
      data.push(line.values);
      series.push({
        label: line.label,
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
  }

  redraw() {
    if (this.last) this.draw(...this.last);
  }

  clear() {
    this.plot?.destroy();
    this.plot = this.last = null;
  }

  options(series, bands, from, to) {
    const hours = { values: (_, moments) => moments.map((moment, k) => label(moment, moments[k - 1])) };
    const axis = { stroke: css("--muted"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") } };
    return {
      width: this.element.clientWidth,
      height: HEIGHT,
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
  plot.ctx.fillStyle = style;
  plot.ctx.fillRect(left, plot.bbox.top, Math.max(2, right - left), plot.bbox.height);
}

export function tick(plot, moment, style) {
  const x = plot.valToPos(moment, "x", true);
  plot.ctx.fillStyle = style;
  plot.ctx.fillRect(x - 1, plot.bbox.top, 2, 8);
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

function time(moment) {
  const options = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone() }).format(new Date(moment * 1000));
}

// What stands below the axis: the time, and the day where it is another one.
function label(moment, before) {
  const day = { day: "numeric", month: "short" };
  const shown = (options, at) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone() }).format(new Date(at * 1000));
  const clock = shown({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, moment);
  const date = shown(day, moment);
  if (before !== undefined && moment - before >= 28 * 86400) return shown({ month: "short", year: "numeric" }, moment);
  if (before !== undefined && shown(day, before) === date) return clock;
  return clock === "00:00" ? date : `${clock}\n${date}`;
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
      if (by) moved([min + by, max + by][0], max + by);
    };
    addEventListener("mousemove", move);
    addEventListener("mouseup", up, { once: true });
  }, { capture: true });
}
