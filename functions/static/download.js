// Links to what the API gives as CSV: a link alone cannot say which type it wants.
for (const link of document.querySelectorAll("a[data-csv]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    const answer = await fetch(link.href, { headers: { Accept: "text/csv" } });
    const file = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href: file, download: link.download }).click();
    URL.revokeObjectURL(file);
  });
}
