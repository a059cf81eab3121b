// What people say of a sensor's alarms: sent to the API, and shown by the page itself as soon as it is known.
import { rememberName, send, tell } from "./api.js";
import { keepMoments, momentOf, put } from "./moment-fields.js";

const form = document.getElementById("feedback");
const answer = document.getElementById("answer");
const root = document.body.dataset.root;
const path = `${root}api/sensors/${form.dataset.sensor}/feedback`;

rememberName(form.elements.namedItem("by"));
const fields = ["from", "to"].map((name) => form.elements.namedItem(name));

keepMoments(fields);
const submit = (work, done) => tell(answer, work, done);

document.getElementById("use-range").addEventListener("click", () => {
  const seen = document.getElementById("charts").dataset.range.split(" ");
  fields.forEach((field, k) => put(field, Math.round(seen[k] / 600) * 600000));
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = () => ({ ...Object.fromEntries(new FormData(form)), from: momentOf(fields[0]), to: momentOf(fields[1]) });
  submit(() => send("POST", path, body()), "Thank you. The history is being scored again; this page shows it when it is done.");
});

document.getElementById("marks").addEventListener("click", (event) => {
  const mark = event.target.dataset.undo;
  if (mark) submit(() => send("DELETE", `${path}/${mark}`), "Withdrawn. The history is being scored again.");
});
