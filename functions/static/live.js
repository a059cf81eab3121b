// Keeps a page as the server would show it now, without losing the view: asks whether it changed, and puts in only the
// parts that did. What cannot be asked is said to be old, and whose session is over is asked to sign in again. The banner
// that says so goes away when the page was heard to be current, never before.
import { bindZone, hearClock, showTimes, text, now } from "./times.js";

const EVERY = 60000; // readings come every ten minutes; each answer is paid for
const SOON = 5000; // after a failure
const TICK = 5000;
const parts = () => [...document.querySelectorAll("[data-live]")];
const served = new Map(parts().map((part) => [part.id, part.outerHTML])); // before anything of ours changed them
const banner = document.getElementById("connection");
let tag = null;
let again = 0;
let lastGood = now();

banner.textContent = "Not known to be current: the server has not answered yet.";
bindZone();
setInterval(() => showTimes(), TICK);
setInterval(refresh, EVERY); // also while the tab is hidden: its title tells of alarms
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
addEventListener("online", refresh);
addEventListener("offline", () => lost("this device is offline"));
addEventListener("refresh", refresh);
addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
refresh(); // what the banner says holds until the page was heard to be current

export async function refresh() {
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    // A redirect leads to the login, which is another server's: the page may not follow it, only see that there is one.
    const answer = await fetch(location.pathname + location.search, {
      headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(20000),
    });
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return signedOut();
    hearClock(answer);
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      tag = answer.headers.get("ETag");
      put(page);
    } else if (answer.status !== 304) {
      throw new Error(`the server answers ${answer.status}`);
    }
    lastGood = now();
    banner.hidden = true;
    banner.classList.remove("unless-live");
    banner.replaceChildren();
    document.body.classList.remove("lost");
    dispatchEvent(new Event("current"));
  } catch (error) {
    lost(error.message);
  }
  showTimes();
}

function put(page) {
  document.title = page.title;
  if (page.body.dataset.asOf) document.body.dataset.asOf = page.body.dataset.asOf;
  for (const part of parts()) {
    const fresh = page.getElementById(part.id);
    if (!fresh || served.get(part.id) === fresh.outerHTML) continue;
    served.set(part.id, fresh.outerHTML);
    const focus = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    part.className = fresh.className;
    part.replaceChildren(...fresh.childNodes);
    if (focus) part.querySelector(`[href="${CSS.escape(focus)}"]`)?.focus();
    dispatchEvent(new CustomEvent("changed", { detail: part.id }));
  }
}

function lost(why) {
  tell(`Not current: ${why}. This is how it was `, lastSeen(), ".");
  clearTimeout(again);
  again = setTimeout(refresh, SOON);
}

// Asked on as usual: who signs in on another page is signed in here, too.
function signedOut() {
  clearTimeout(again);
  if (!document.getElementById("sign-in")) {
    const link = document.createElement("a");
    Object.assign(link, { id: "sign-in", href: location.pathname + location.search, textContent: "sign in again" });
    link.addEventListener("click", (event) => { event.preventDefault(); location.reload(); }); // keeps the address' #…
    tell("Signed out: ", link, ". This is how it was ", lastSeen(), ".");
  }
  showTimes();
}

function lastSeen() {
  return Object.assign(document.createElement("time"), { dateTime: lastGood.toISOString(), textContent: text(lastGood) });
}

function tell(...words) {
  banner.replaceChildren(...words);
  banner.hidden = false;
  banner.classList.remove("unless-live");
  document.body.classList.add("lost");
}
