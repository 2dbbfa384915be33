// Before the first paint, so that a chosen theme never flashes the other one. Not a module: modules run too late.
(function () {
  try {
    var theme = localStorage.getItem("footlight.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage can be forbidden; the system's theme is then right.
  }
})();
