// A report is for paper: it prints as it is shown.
document.getElementById("print").addEventListener("click", () => print());
