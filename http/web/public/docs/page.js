window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  displayRequestDuration: true,
  // The default asks a public validator about the document; this page stays on this host.
  validatorUrl: null,
});
