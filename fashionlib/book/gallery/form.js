/* The rating form: keeps what is ticked in the browser, exports it as a file and goes on from one. */
(() => {
"use strict";

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function start(root) {
  const form = root.querySelector("form"), gallery = form.dataset.gallery, key = `fashion-gallery ${gallery}`;
  const sheets = [...form.querySelectorAll("fieldset.rating")];
  const rater = make("input", {type: "text", autocomplete: "name"});
  const open = make("input", {type: "file", accept: ".json,application/json"});
  const save = make("button", {type: "button"}, "Export ratings"), clear = make("button", {type: "button"}, "Clear");
  const status = make("p", {class: "status", role: "status", "aria-live": "polite"});
  const inputs = (sheet, question) => [...sheet.querySelectorAll(`input[name^="${question}."]`)];
  const ticked = (sheet, question) => inputs(sheet, question).filter((input) => input.checked).map((one) => one.value);

  function read() {
    return {gallery, rater: rater.value, ratings: sheets.map((sheet) => ({
      item: sheet.dataset.item, system: sheet.dataset.system,
      category: ticked(sheet, "category")[0] ?? null, attributes: ticked(sheet, "attributes")[0] ?? null,
      errors: ticked(sheet, "errors"), remark: inputs(sheet, "remark")[0].value}))};
  }
  function fill(state) {
    const given = new Map(state.ratings.map((rating) => [JSON.stringify([rating.item, rating.system]), rating]));
    rater.value = state.rater;
    for (const sheet of sheets) {
      const rating = given.get(JSON.stringify([sheet.dataset.item, sheet.dataset.system]))
        ?? {category: null, attributes: null, errors: [], remark: ""};
      const chosen = {category: [rating.category], attributes: [rating.attributes], errors: rating.errors};
      for (const [question, values] of Object.entries(chosen)) {
        for (const input of inputs(sheet, question)) input.checked = values.includes(input.value);
      }
      inputs(sheet, "remark")[0].value = rating.remark;
    }
  }
  function tell(text = "") {
    const done = read().ratings.filter((rating) => rating.category && rating.attributes).length;
    status.textContent = `${done} of ${sheets.length} captions rated. ${text}`;
  }
  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(read()));
      tell();
    } catch (denied) {
      tell(`This browser keeps nothing (${denied.name}): export before you leave the page.`);
    }
  }
  function stored() {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch (denied) {  // storage forbidden, or not ours
      return null;
    }
  }
  async function load() {
    const file = open.files[0];
    if (!file) return;
    try {
      const state = JSON.parse(await file.text());
      if (state.gallery !== gallery) throw new Error(`it rates gallery ${state.gallery}, this is ${gallery}`);
      fill(state);
      keep();
      tell(`${file.name} is loaded.`);
    } catch (error) {
      tell(`${file.name} can't be loaded: ${error.message}.`);
    }
    open.value = "";
  }

  save.addEventListener("click", () => {
    const content = JSON.stringify({...read(), exported: new Date().toISOString()}, null, 1);
    const address = URL.createObjectURL(new Blob([content], {type: "application/json"}));
    make("a", {href: address, download: `ratings-${gallery}.json`}).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    tell("Exported.");
  });
  clear.addEventListener("click", () => {
    if (!confirm("Clear all ratings of this form?")) return;
    fill({rater: "", ratings: []});
    keep();
  });
  open.addEventListener("change", load);
  form.addEventListener("input", (event) => event.target === open || keep());
  form.addEventListener("submit", (event) => event.preventDefault());
  form.prepend(make("div", {class: "controls"}, make("div", {class: "together"},
    make("label", {}, make("span", {}, "Your name"), rater),
    make("label", {class: "wide"}, make("span", {}, "Continue from an exported file"), open), save, clear)), status);
  const before = stored();
  if (before) fill(before);
  tell(before ? "Your earlier ratings are back." : "");
}

for (const root of document.querySelectorAll('.fashion-gallery[data-kind="form"]:not([data-ready])')) {
  root.dataset.ready = "true";
  start(root);
}
})();
