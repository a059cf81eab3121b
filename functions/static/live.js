// Keeps a page as the server would show it now, without losing the view: asks whether it changed, and puts in only the
// parts that did. What cannot be asked is said to be old, and whose session is over is asked to sign in again.
import { bindZone, hearClock, showTimes, text, now } from "./times.js";

const EVERY = 30000;
const SOON = 5000; // after a failure
const TICK = 5000;
const parts = () => [...document.querySelectorAll("[data-live]")];
const served = new Map(parts().map((part) => [part.id, part.outerHTML])); // before anything of ours changed them
const banner = document.getElementById("connection");
let tag = null;
let again = 0;
let lastGood = now();

banner.hidden = true; // what it says until here is true only if nothing of this was loaded
banner.classList.remove("unless-live");
bindZone();
setInterval(() => showTimes(), TICK);
setInterval(() => { if (!document.hidden) refresh(); }, EVERY);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
addEventListener("online", refresh);
addEventListener("offline", () => lost("this device is offline"));
addEventListener("refresh", refresh);

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
  tell(`Not current: ${why}. This is how it was ${text(lastGood)}.`);
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
    tell("Signed out: ", link, `. This is how it was ${text(lastGood)}.`);
  }
  showTimes();
}

function tell(...words) {
  banner.replaceChildren(...words);
  banner.hidden = false;
  document.body.classList.add("lost");
}
