// Tells of alarms while nobody looks: by title and icon, to screen readers, and by sound and notification where these were
// asked for. It asks by itself, also while the tab is hidden, so that it does not depend on what the page shows.
const EVERY = 60000; // as live.js, at the same time: an instance that answers both is paid for once
const RANKS = ["low", "medium", "high"];
const TONES = [880, 660, 880]; // Hz
const TONE_S = 0.18;
const root = document.body.dataset.root;
const key = new URLSearchParams(location.search).get("code");
const words = document.getElementById("announcement");
const sound = document.getElementById("sound");
const notices = document.getElementById("notices");
const icon = document.querySelector("link[rel=icon]");
const calm = icon.href;
let before = recall(); // the standing alarms by id, as this tab knew them last; null: it never did
let mark = ""; // what the title begins with
let audio = null;

const kept = (name) => {
  try { return localStorage.getItem(name); } catch { return null; }
};
const keep = (name, value) => {
  try { localStorage.setItem(name, value); } catch { /* not kept */ }
};

async function look() {
  let alarms;
  try {
    const answer = await fetch(`${root}api/alarms?state=standing`, {
      headers: key ? { "x-functions-key": key } : {},
      cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(20000),
    });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    alarms = (await answer.json()).items;
  } catch {
    show("(?) "); // why, the banner says
    if (words.textContent !== "Alarms cannot be read") words.textContent = "Alarms cannot be read";
    return;
  }
  take(new Map(alarms.map((alarm) => [alarm.id, alarm])));
}

// What changed while the tab went from page to page is told, too.
function recall() {
  try {
    const found = sessionStorage.getItem("alarms");
    return found && new Map(JSON.parse(found));
  } catch { return null; }
}

function remember(alarms) {
  const brief = ({ id, raised, priority, active, template, response }) =>
    [id, { id, raised, priority, active, template, response }];
  try { sessionStorage.setItem("alarms", JSON.stringify([...alarms.values()].map(brief))); } catch { /* not kept */ }
}

function take(alarms) {
  const unseen = [...alarms.values()].filter((alarm) => alarm.state !== "acknowledged").length;
  show(unseen ? `(${unseen}) ` : "");
  icon.href = unseen ? icon.dataset.alarm : calm;
  const news = before ? changes(before, alarms) : [];
  before = alarms;
  remember(alarms);
  if (!news.length) return;
  words.textContent = news.map((one) => one.text).join(". ");
  news.forEach(notify);
  const rousing = news.filter((one) => one.rousing);
  if (rousing.length) ring(rousing.map(({ alarm }) => `${alarm.id} ${alarm.raised} ${alarm.priority}`).join());
}

function changes(was, is) {
  const news = [];
  const say = (what, alarm, rousing) =>
    news.push({ alarm, rousing, text: `${what}: ${alarm.template}, priority ${alarm.priority}` });
  for (const alarm of is.values()) {
    const old = was.get(alarm.id);
    const fresh = !old || old.raised !== alarm.raised;
    if (!alarm.active) {
      if (fresh || old.active) say("Alarm returned", alarm, false);
    } else if (alarm.state !== "acknowledged") {
      if (fresh) say("New alarm", alarm, true);
      else if (RANKS.indexOf(alarm.priority) > RANKS.indexOf(old.priority)) say("Alarm escalated", alarm, true);
    }
  }
  for (const old of was.values()) if (old.active && !is.has(old.id)) say("Alarm returned", old, false);
  return news;
}

// The page's own title changes, too: what stands before it is ours.
function show(now = mark) {
  const own = document.title.startsWith(mark) ? document.title.slice(mark.length) : document.title;
  mark = now;
  if (document.title !== mark + own) document.title = mark + own;
}

// --- sound: once for all tabs of this browser, which refuses it until the page was clicked

function ring(what) {
  if (kept("sound") !== "on" || kept("rung") === what || !navigator.userActivation.hasBeenActive) return;
  keep("rung", what);
  play();
}

function play() {
  audio ??= new AudioContext();
  TONES.forEach((pitch, k) => {
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const volume = new GainNode(audio, { gain: 0.2 });
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + k * TONE_S);
    tone.stop(audio.currentTime + (k + 1) * TONE_S);
  });
  dispatchEvent(new Event("rung"));
}

function showChoices() {
  const on = kept("sound") === "on";
  sound.setAttribute("aria-pressed", String(on));
  sound.textContent = on && !navigator.userActivation.hasBeenActive ? "Sound: click the page once" : "Sound";
  notices.hidden = !("Notification" in window) || Notification.permission !== "default";
}

sound.addEventListener("click", () => {
  keep("sound", kept("sound") === "on" ? "off" : "on");
  if (kept("sound") === "on") play(); // so that it is known how it sounds
  showChoices();
});

// --- the browser's notifications: one an alarm, however many tabs tell of it

function notify({ alarm, text }) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  try {
    const shown = new Notification(text, { tag: alarm.id, body: alarm.response });
    shown.addEventListener("click", () => { focus(); location.assign(`${root}incidents/${alarm.id}`); });
  } catch { /* phones take them of service workers alone */ }
}

notices.addEventListener("click", async () => {
  await Notification.requestPermission();
  showChoices();
});

addEventListener("click", showChoices);
addEventListener("current", () => show());
addEventListener("refresh", look);
setInterval(look, EVERY);
showChoices();
look();
