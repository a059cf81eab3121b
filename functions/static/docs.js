// Shows the contract, in the pages' theme. Deep links keep the endpoint; nothing is fetched from anywhere else.
const { classList, dataset } = document.documentElement;
const follow = () => classList.toggle("dark-mode", dataset.theme === "dark");
addEventListener("theme", follow);
follow();

// Swagger UI puts a link into each button that opens an endpoint, which no keyboard or reader can tell apart.
const plain = ({ React }) => ({
  wrapComponents: { DeepLink: () => ({ text }) => React.createElement("span", null, text) },
});

// What it leaves unnamed, or out of the keyboard's reach.
const contract = document.getElementById("contract");
new MutationObserver(() => {
  document.getElementById("servers")?.setAttribute("aria-label", "Server");
  for (const one of contract.querySelectorAll("tr[data-param-name] :is(input, select):not([aria-label])")) {
    one.setAttribute("aria-label", one.closest("tr").dataset.paramName);
  }
  for (const one of contract.querySelectorAll(":is(.example, .microlight):not([tabindex])")) one.tabIndex = 0;
}).observe(contract, { childList: true, subtree: true });

SwaggerUIBundle({
  url: "openapi.json",
  domNode: contract,
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  persistAuthorization: false,
  syntaxHighlight: false,
  plugins: [plain],
});
