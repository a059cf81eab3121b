// Moments as people read them: in UTC, or in the browser's own zone, and it is always said which.
const DATE = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

let skew = 0; // the server's clock less ours [ms]

export const isLocal = () => {
  try { return localStorage.getItem("zone") === "local"; } catch { return false; }
};

export const zone = () => (isLocal() ? Intl.DateTimeFormat().resolvedOptions().timeZone : "UTC");

export function text(moment) {
  const parts = new Intl.DateTimeFormat("en-GB", { ...DATE, timeZone: zone(), timeZoneName: "short" });
  return parts.format(moment).replace(",", "");
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
  return minutes < 2880 ? `${Math.round(minutes / 60)} h old` : `${Math.round(minutes / 1440)} days old`;
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
  const show = () => {
    button.setAttribute("aria-pressed", String(isLocal()));
    showTimes();
    dispatchEvent(new Event("zone"));
  };
  button.addEventListener("click", () => {
    try { localStorage.setItem("zone", isLocal() ? "utc" : "local"); } catch { /* not kept */ }
    show();
  });
  show();
}
