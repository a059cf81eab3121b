// Moments as people read them: in UTC, or in the browser's own zone, and it is always said which.
const DATE = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

let skew = 0; // the server's clock less ours [ms]

export const isLocal = () => {
  try { return localStorage.getItem("zone") === "local"; } catch { return false; }
};

// The browser's zone; UTC where it knows none, or one that it cannot tell the time of.
const own = (() => {
  try {
    const found = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    return new Intl.DateTimeFormat("en-GB", { timeZone: found }) && found;
  } catch {
    return "UTC";
  }
})();

export const zone = () => (isLocal() ? own : "UTC");

// With the zone's name of that moment: the hour that autumn repeats has two.
export function text(moment, options = DATE) {
  const parts = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone(), timeZoneName: "short" });
  return parts.format(moment).replace(",", "");
}

export function clock(moment) {
  const { year, ...rest } = DATE;
  return text(moment, rest);
}

// The zone's name, or that of a moment [ms] in it.
export function zoneName(moment) {
  if (moment === undefined) return zone();
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone(), timeZoneName: "short" }).formatToParts(moment);
  return parts.find((one) => one.type === "timeZoneName").value;
}

// A moment [ms] as a field takes it, and the moments that a field's text can mean: two in the hour that autumn repeats,
// none in the one that spring leaves out.
export function fieldText(moment) {
  const parts = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: zone() });
  return parts.format(moment).replace(" ", "T");
}

export function momentsOf(text) {
  const asUtc = (field) => Date.parse(`${field}:00Z`);
  const guess = asUtc(text.slice(0, 16));
  if (Number.isNaN(guess)) return [];
  const day = 86400000;
  const found = [guess - day, guess + day].map((near) => guess - (asUtc(fieldText(near)) - near));
  return [...new Set(found)].filter((moment) => asUtc(fieldText(moment)) === guess);
}

// The present: the server's, or the fixed one of recorded data.
export function now() {
  const fixed = document.body.dataset.asOf;
  return new Date(fixed ? Date.parse(fixed) : Date.now() + skew);
}

export function hearClock(answer) {
  const serverTime = Date.parse(answer.headers.get("Date") ?? "");
  if (!Number.isNaN(serverTime)) skew = serverTime - Date.now();
}

export function age(moment) {
  const minutes = Math.max(0, Math.round((now() - moment) / 60000));
  if (minutes < 120) return `${minutes} min old`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h old` : `${Math.round(minutes / 1440)} days old`; // two at least
}

const STALE = 30 * 60000;

export function showTimes(within = document) {
  for (const one of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(one.dateTime);
    const said = text(moment);
    const isAge = "age" in one.dataset;
    const shown = isAge ? `${said}, ${age(moment)}` : said;
    if (one.textContent !== shown) one.textContent = shown;
    if (isAge) one.classList.toggle("old", now() - moment > STALE);
  }
  const clock = document.getElementById("clock");
  const shown = (document.body.dataset.asOf ? "Recorded data, as of " : "") + text(now());
  if (clock.textContent !== shown) clock.textContent = shown;
}

export function bindZone() {
  const button = document.getElementById("zone");
  button.title = own === "UTC" ? "This browser's own time is UTC" : own;
  const show = () => {
    button.setAttribute("aria-pressed", String(isLocal()));
    document.querySelectorAll("[data-zone]").forEach((one) => { one.textContent = zoneName(); });
    showTimes();
    dispatchEvent(new Event("zone"));
  };
  button.addEventListener("click", () => {
    try { localStorage.setItem("zone", isLocal() ? "utc" : "local"); } catch { /* not kept */ }
    show();
  });
  show();
}
