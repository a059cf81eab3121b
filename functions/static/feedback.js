// What people say of a sensor's alarms: sent to the API, and shown by the page itself as soon as it is known.
const form = document.getElementById("feedback");
const answer = document.getElementById("answer");
const root = document.body.dataset.root;
const path = `${root}api/sensors/${form.dataset.sensor}/feedback`;

async function send(method, url, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const found = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  if (!found.ok) throw new Error((await found.json().catch(() => ({}))).detail ?? `the server answers ${found.status}`);
}

async function submit(work, done) {
  answer.textContent = "…";
  try {
    await work();
    answer.textContent = done;
    dispatchEvent(new Event("refresh"));
  } catch (error) {
    answer.textContent = error.message;
    if (error instanceof TypeError) dispatchEvent(new Event("refresh")); // no answer: the page finds out why
  }
}

document.getElementById("use-range").addEventListener("click", () => {
  const seen = document.getElementById("charts").dataset.range.split(" ");
  ["from", "to"].forEach((name, k) => {
    const moment = Math.round(seen[k] / 600) * 600000;
    form.elements.namedItem(name).value = new Date(moment).toISOString().slice(0, 16);
  });
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(form));
  const moment = (text) => `${text.slice(0, 16)}:00Z`;
  const body = { ...given, from: moment(given.from), to: moment(given.to) };
  submit(() => send("POST", path, body), "Thank you. The history is being scored again; this page shows it when it is done.");
});

document.getElementById("marks").addEventListener("click", (event) => {
  const mark = event.target.dataset.undo;
  if (mark) submit(() => send("DELETE", `${path}/${mark}`), "Withdrawn. The history is being scored again.");
});
