// A shift: since when, on paper, and the notes that it leaves.
import { rememberName, send } from "./api.js";
import { keepMoments, put } from "./moment-fields.js";
import { momentsOf } from "./times.js";

const since = document.getElementById("since");
const note = document.getElementById("note");
const answer = document.getElementById("answer");
const root = document.body.dataset.root;
const began = since.elements.namedItem("since");

put(began, Date.parse(since.dataset.since));
keepMoments([began]);
since.addEventListener("submit", (event) => {
  event.preventDefault();
  const [moment] = momentsOf(began.value);
  if (moment !== undefined) location.search = new URLSearchParams({ since: new Date(moment).toISOString().slice(0, 19) + "Z" });
});
document.getElementById("print").addEventListener("click", () => print());

rememberName(note.elements.namedItem("by"));
note.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { template, ...body } = Object.fromEntries(new FormData(note));
  try {
    await send("POST", `${root}api/templates/${template}/events`, body);
    answer.textContent = "Added.";
    note.elements.namedItem("message").value = "";
  } catch (error) {
    answer.textContent = error.message;
  }
  dispatchEvent(new Event("refresh"));
});
