// Which alarms shall call nobody: said to the API, and shown by the page itself as soon as it is known.
import { rememberName, send, tell } from "./api.js";
import { keepMoments, momentOf } from "./moment-fields.js";

const forms = [...document.querySelectorAll("form[data-suppress]")];
const answer = document.getElementById("suppressed");
const api = `${document.body.dataset.root}api/`;
const MOMENTS = ["until", "from", "to"];

for (const form of forms) {
  rememberName(form.elements.namedItem("by"));
  keepMoments(MOMENTS.map((name) => form.elements.namedItem(name)).filter((field) => field));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = () => {
      const { at, ...body } = Object.fromEntries(new FormData(form));
      for (const name of MOMENTS) if (name in body) body[name] = momentOf(form.elements.namedItem(name));
      const [kind, id] = (at ?? "").split(" ");
      return at ? { ...body, [kind]: id } : body;
    };
    tell(answer, async () => send("POST", api + form.dataset.suppress, asked()), "It is said, and in the journal.");
  });
}

document.getElementById("suppressions").addEventListener("click", (event) => {
  const id = event.target.dataset.end;
  if (!id) return;
  const names = forms.map((form) => form.elements.namedItem("by"));
  const by = names.find((field) => field.value)?.value;
  if (!by) return names[0].reportValidity();
  const path = `suppressions/${id}?by=${encodeURIComponent(by)}`;
  tell(answer, () => send("DELETE", api + path), "It is ended, and that is in the journal.");
});
