// One row of slides: left and right move, up and down are left to tables that scroll.
Reveal.initialize({
  width: 1280,
  height: 720,
  center: false,
  display: "flex",
  transition: "none",
  hash: true,
  slideNumber: "c/t",
  pdfSeparateFragments: false,
  keyboardCondition: ({ key }) => !["ArrowUp", "ArrowDown"].includes(key),
  plugins: [RevealNotes],
}).then(ready);

function ready() {
  Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, turn);
  Reveal.on("slidechanged", ({ currentSlide }) => fit(currentSlide));
  Reveal.on("pdf-ready", () => Reveal.getSlides().forEach(fit)); // for paper, once its pages are laid out
  fit(Reveal.getCurrentSlide());
  typeset();
}

function turn() {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark" ||
    (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
}

// Letters of the Answer and of tables are as large as the slide allows, and as many garments are shown.
// What doesn't fit with 18 pixels or with one garment is scrolled, by the keyboard too;
// paper doesn't scroll, and sets letters a little wider than the screen on which they are measured.
function fit(slide) {
  const parts = [...slide.querySelectorAll(".part")];
  const over = (part) => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1;
  const paper = Reveal.isPrintView();
  for (const one of slide.querySelectorAll(".answer, table")) {
    for (let size = 28; size >= (paper ? 8 : 18); size -= 2) {
      one.style.fontSize = `${size}px`;
      if (!parts.some(over)) break;
    }
    if (paper) one.style.fontSize = `calc(${one.style.fontSize} * 0.9)`;
  }
  const cards = [...slide.querySelectorAll(".cards > div")];
  while (cards.length > 1 && parts.some(over)) cards.pop().hidden = true;
  for (const part of parts.filter(over)) part.tabIndex = 0;
}

// The speaker's notes keep their TeX: the window that shows them has no MathJax.
async function typeset() {
  await MathJax.startup.promise;
  for (const formula of document.querySelectorAll(".part .math, h2 .math")) {
    const options = { display: formula.matches("div"), em: 30, ex: 14, containerWidth: 1280 };
    formula.replaceChildren(await MathJax.tex2chtmlPromise(formula.textContent, options));
  }
  MathJax.startup.document.clear();
  MathJax.startup.document.updateDocument();
}
