// What pages ask of the API, and by whose name.

// Sends JSON and returns the answer; throws an Error that says what the server says.
export async function send(method, url, body, headers = {}) {
  const kind = body ? { "Content-Type": "application/json" } : {};
  const found = await fetch(url, { method, headers: { ...kind, ...headers }, body: body && JSON.stringify(body) });
  if (found.status === 412) throw new Error("It has changed since this page showed it. Look again, then repeat it.");
  if (!found.ok) throw new Error((await found.json().catch(() => ({}))).detail ?? `the server answers ${found.status}`);
  return found;
}

// Does work, says beside its form what came of it, and lets the page show that.
export async function tell(answer, work, done) {
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

// Who says something is who said it last in this browser, unless they say otherwise.
export function rememberName(field) {
  try { field.value ||= localStorage.getItem("name") ?? ""; } catch { /* not kept */ }
  field.addEventListener("change", () => { try { localStorage.setItem("name", field.value); } catch { /* not kept */ } });
}
