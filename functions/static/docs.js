// Shows the contract. Deep links keep the endpoint; nothing is fetched from anywhere else.
SwaggerUIBundle({
  url: "openapi.json",
  domNode: document.getElementById("contract"),
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  persistAuthorization: false,
});
