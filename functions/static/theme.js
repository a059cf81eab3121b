// Dark or light, as the person chose, or as their system is; before anything is drawn.
"use strict";
(() => {
  const root = document.documentElement;
  const wish = matchMedia("(prefers-color-scheme: light)");
  const kept = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const show = () => {
    root.dataset.theme = kept() ?? (wish.matches ? "light" : "dark");
    const button = document.getElementById("theme");
    if (button) button.textContent = root.dataset.theme === "dark" ? "Light theme" : "Dark theme";
    dispatchEvent(new Event("theme"));
  };
  show();
  wish.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme").addEventListener("click", () => {
      try { localStorage.setItem("theme", root.dataset.theme === "dark" ? "light" : "dark"); } catch { /* not kept */ }
      show();
    });
  });
})();
