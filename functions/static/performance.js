// A statement is for paper, and made in the background: the page prints, and asks for another one.
import { rememberName, send, tell } from "./api.js";

const answer = document.getElementById("asked");
const { root } = document.body.dataset;

document.getElementById("print").addEventListener("click", () => print());
document.getElementById("ask").addEventListener("click", async ({ target }) => {
  answer.textContent = "…";
  try {
    await send("POST", `${root}api/templates/${target.dataset.template}/performance`);
    answer.textContent = "Asked for. It is made in a minute or two; reload the page then.";
  } catch (error) {
    answer.textContent = error.message;
  }
});

const prove = document.getElementById("prove");
rememberName(prove.elements.namedItem("by"));
prove.addEventListener("submit", (event) => {
  event.preventDefault();
  const path = `${root}api/templates/${prove.dataset.template}/proof-tests`;
  const body = Object.fromEntries(new FormData(prove));
  tell(document.getElementById("proof-asked"), () => send("POST", path, body), "Asked for. It begins within ten minutes.");
});
