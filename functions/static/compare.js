// Which sensors are compared: the page's address holds them.
const form = document.getElementById("choice");
const chosen = () => [...form.querySelectorAll("input:checked")].map((one) => one.value);
const told = document.getElementById("told");

form.addEventListener("change", () => {
  const most = Number(form.dataset.most);
  const count = chosen().length;
  form.querySelector("button").disabled = count > most;
  told.textContent = count > most ? `At most ${most} can be compared, not ${count}.` : `${count} chosen.`;
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = `compare?sensors=${chosen().join(",")}${location.hash}`; // and the same time range
});
