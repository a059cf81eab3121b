// Acknowledging alarms: by name, with a comment, on what was seen.
import { rememberName, send } from "./api.js";

const form = document.getElementById("acknowledge");
const answer = document.getElementById("acknowledged");
const root = document.body.dataset.root;

if (form) {
  rememberName(form.elements.namedItem("by"));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    if (event.target.dataset?.acknowledge) acknowledge(event.target);
  });
}

async function acknowledge(button) {
  if (!form.reportValidity()) return;
  answer.textContent = "…";
  button.disabled = true;
  try {
    const { acknowledge: incident, etag } = button.dataset;
    const body = Object.fromEntries(new FormData(form));
    await send("POST", `${root}api/alarms/${incident}/acknowledge`, body, { "If-Match": etag });
    answer.textContent = "Acknowledged.";
    form.elements.namedItem("comment").value = "";
  } catch (error) {
    answer.textContent = error.message;
    button.disabled = false;
  }
  dispatchEvent(new Event("refresh")); // the page finds out how it is
}
