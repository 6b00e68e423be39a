// On a narrow page the theme opens its menu and "on this page" as modal dialogs.
// The theme leaves two things undone. A link to a section of the same page does not
// close the dialog, which then covers that section. And the theme takes the focus
// off the button before it remembers it, so the keyboard starts again at the top.
for (const name of ["primary", "secondary"]) {
  const dialog = document.querySelector(`#pst-${name}-sidebar-modal`);
  const button = document.querySelector(`.${name}-toggle`);
  if (!dialog || !button) continue;
  let followed = false; // a link: the focus then belongs to its section

  dialog.addEventListener("click", (event) => {
    followed = Boolean(event.target.closest("a[href*='#']"));
    if (followed) dialog.close();
  });
  dialog.addEventListener("close", () => {
    if (!followed) button.focus({ preventScroll: true });
    followed = false;
  });

  // On a wide page the menu's button hides the sidebar; pressed by a key it keeps the focus.
  document.addEventListener("click", (event) => {
    const byKey = event.detail === 0 && button.contains(event.target);
    if (byKey) setTimeout(() => dialog.open || button.focus());
  }, true);
}

// What scrolls sideways takes the keyboard's focus, for as long as it scrolls.
const article = document.querySelector(".bd-article");
if (article) {
  new ResizeObserver(() => {
    for (const box of article.querySelectorAll("table, pre, mjx-container, .cell_output > *")) {
      if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === "auto") box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }).observe(article);
  // A long text in a table tells its letters, so that a phone gives it room; a head of one word stays whole ("BLEU-4").
  for (const cell of article.querySelectorAll("td, th")) {
    const text = cell.textContent.trim();
    if (text.length > 12) cell.style.setProperty("--letters", text.length);
    else if (cell.matches("th.col_heading") && !text.includes(" ")) cell.style.whiteSpace = "nowrap";
  }
}

// Paper is white: what is printed takes the light theme, and the screen gets its own back.
const root = document.documentElement;
let theme; // of the screen
window.addEventListener("beforeprint", () => {
  theme = root.dataset.theme;
  root.dataset.theme = "light";
});
window.addEventListener("afterprint", () => { root.dataset.theme = theme; });
