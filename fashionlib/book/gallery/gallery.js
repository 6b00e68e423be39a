/* A gallery: reads the JSON beside it, filters, sorts and draws twenty articles at a time.
   Text from data becomes text nodes and attributes, never markup. */
(() => {
"use strict";
const AT_A_TIME = 20;
const KINDS = ["missed", "invented", "hit"];
const numbers = new Intl.NumberFormat("en");

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/* Lists to objects; for each system the sets of attributes hit, missed and invented. */
function unpack(data) {
  const spans = (flat) => Array.from({length: flat.length / 3}, (_, n) =>
    ({start: flat[3 * n], length: flat[3 * n + 1], lemma: data.lemmas[flat[3 * n + 2]]}));
  const lemmas = (marks) => new Set(marks.map((mark) => mark.lemma));
  return data.items.map(([id, category, picture, width, height, [truth, flat], rows], place) => {
    const marks = spans(flat), real = lemmas(marks);
    const captions = rows.map(([caption, own, scores, errors], n) => {
      const ownMarks = spans(own), named = lemmas(ownMarks);
      return {system: data.systems[n], caption, scores, marks: ownMarks, errors: errors.map((e) => data.errors[e]),
              hit: new Set([...named].filter((lemma) => real.has(lemma))),
              invented: new Set([...named].filter((lemma) => !real.has(lemma))),
              missed: new Set([...real].filter((lemma) => !named.has(lemma)))};
    });
    const text = [id, truth, ...rows.map((row) => row[0])].join("\n").toLowerCase();
    return {id, place, truth, marks, captions, text, width, height, category: data.categories[category],
            real, named: new Set(captions.flatMap((one) => [...one.hit])), picture: data.base + picture};
  });
}

function marked(caption, marks, others, otherwise) {
  const nodes = [];
  let done = 0;
  for (const {start, length, lemma} of marks.filter((mark) => mark.length)) {
    const kind = others.has(lemma) ? "hit" : otherwise;
    nodes.push(caption.slice(done, start), make("mark", {class: kind, title: `${kind}: ${lemma}`},
      caption.slice(start, start + length), make("span", {class: "unseen"}, ` (${kind})`)));
    done = start + length;
  }
  return caption ? [...nodes, caption.slice(done)] : [make("i", {}, "(empty)")];
}

function scoreTable(captions, metrics, chosen) {
  const cell = (value, column, system) => {
    const values = captions.map((one) => one.scores[column]).filter((other) => other !== null);
    const best = value !== null && Math.min(...values) < value && value === Math.max(...values);
    const text = value === null ? "–" : value.toFixed(1);
    return make("td", chosen === `${system} ${column}` ? {class: "chosen"} : {}, best ? make("b", {}, text) : text);
  };
  const head = make("tr", {}, make("td"), ...metrics.map((metric) => make("th", {scope: "col"}, metric)));
  const rows = captions.map((one, system) => make("tr", {}, make("th", {scope: "row"}, one.system),
    ...one.scores.map((value, column) => cell(value, column, system))));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  return make("div", {class: "scores", role: "group", "aria-label": "Scores", tabindex: 0}, table);
}

function card(item, metrics, chosen, place, all) {
  const line = (role, caption, errors = []) => make("p", {}, make("span", {class: "role"}, role,
    ...errors.map((error) => make("span", {class: "error"}, error))), ...caption);
  const label = `${item.id}, ${item.category}`;
  const picture = make("img", {src: item.picture, width: item.width, height: item.height,
                               alt: `Picture of ${label}`});
  return make("article", {tabindex: place ? -1 : 0, "aria-label": label, "aria-posinset": place + 1,
                          "aria-setsize": all}, picture,
    make("div", {}, make("p", {class: "name"}, make("b", {}, item.id), ` ${item.category}`),
      line("truth", marked(item.truth, item.marks, item.named, "missed")),
      ...item.captions.map((one) => line(one.system, marked(one.caption, one.marks, item.real, "invented"), one.errors)),
      scoreTable(item.captions, metrics, chosen)));
}

/* How often each value occurs, most often first, as options. */
function counted(first, values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
  const order = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return [new Option(first, ""), ...order.map(([value, n]) => new Option(`${value} (${numbers.format(n)})`, value))];
}

function labelled(text, control, className = "") {
  control.setAttribute("aria-label", text);  // a label around a select would read its options too
  return make("label", {class: className}, make("span", {}, text), control);
}

function controls(data, items) {
  const systems = data.systems.map((system, n) => new Option(system, n));
  const groups = data.systems.map((system, n) => {
    const group = make("optgroup", {label: system});
    group.append(...data.metrics.map((metric, m) => new Option(`${system}: ${metric}`, `${n} ${m}`)));
    return group;
  });
  const select = (...options) => make("select", {}, ...options);
  const number = () => make("input", {type: "number", step: "any"});
  return {
    search: make("input", {type: "search"}),
    category: select(...counted("all", items.map((item) => item.category))),
    kind: select(new Option("all", ""), ...KINDS.map((kind) => new Option(`some ${kind}`, kind))),
    attribute: select(new Option("any", "")),
    error: select(new Option("all", "")),
    system: select(new Option("any system", ""), ...systems),
    score: select(...groups), least: number(), most: number(),
    order: select(new Option("as listed", ""), new Option("highest score first", "-1"),
      new Option("lowest score first", "1")),
  };
}

function start(root) {
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const items = unpack(data), list = root.querySelector(".articles"), pick = controls(data, items);
  const status = make("p", {class: "status", role: "status", "aria-live": "polite"});
  const reset = make("button", {type: "button"}, "Reset"), more = make("button", {type: "button", class: "more"});
  const row = (...nodes) => make("div", {class: "together"}, ...nodes);
  const panel = make("div", {class: "controls", role: "search", "aria-label": "Filter and sort the articles"},
    row(labelled("Search in captions and ids", pick.search, "wide"), labelled("Category", pick.category)),
    row(labelled("Attributes", pick.kind), labelled("Which", pick.attribute),
      ...(data.errors.length ? [labelled("Errors", pick.error)] : []), labelled("In captions of", pick.system)),
    row(labelled("Score", pick.score, "wide"), labelled("at least", pick.least, "narrow"),
      labelled("at most", pick.most, "narrow"), labelled("Order", pick.order), reset));
  const meanings = {hit: "in truth and caption", missed: "in the truth alone", invented: "in the caption alone"};
  const legend = make("p", {class: "legend"},
    ...Object.entries(meanings).map(([kind, meaning]) => make("span", {}, make("mark", {class: kind}, kind), ` ${meaning}`)),
    make("span", {}, make("kbd", {}, "j"), " ", make("kbd", {}, "k"), " next, previous article"),
    make("span", {}, make("kbd", {}, "Esc"), " reset"),
    make("span", {}, "scores × 100, the ", make("b", {}, "best"), " in bold"));
  let matches = items;

  const systems = () => (pick.system.value === "" ? data.systems.map((_, n) => n) : [Number(pick.system.value)]);
  function choices() {  // the counts of attributes and errors follow kind and system
    const each = (values) => items.flatMap((item) => [...new Set(systems().flatMap((n) => values(item.captions[n])))]);
    const fill = (control, options) => {
      const before = control.value;
      control.replaceChildren(...options);
      control.value = [...control.options].some((option) => option.value === before) ? before : "";
    };
    fill(pick.attribute, counted("any", pick.kind.value ? each((one) => [...one[pick.kind.value]]) : []));
    fill(pick.error, [...counted("all", each((one) => one.errors)), new Option("none of them", "none")]);
    pick.attribute.disabled = !pick.kind.value;
  }
  function fits(item) {
    const [system, metric] = pick.score.value.split(" ").map(Number);
    const score = item.captions[system].scores[metric], kind = pick.kind.value, lemma = pick.attribute.value;
    const error = pick.error.value;
    return item.text.includes(pick.search.value.trim().toLowerCase())
      && (!pick.category.value || item.category === pick.category.value)
      && (pick.least.value === "" || (score !== null && score >= Number(pick.least.value)))
      && (pick.most.value === "" || (score !== null && score <= Number(pick.most.value)))
      && systems().some((n) => (!kind || (lemma ? item.captions[n][kind].has(lemma) : item.captions[n][kind].size > 0))
        && (!error || (error === "none" ? !item.captions[n].errors.length : item.captions[n].errors.includes(error))));
  }
  function update() {
    const [system, metric] = pick.score.value.split(" ").map(Number), sign = Number(pick.order.value);
    const score = (item) => item.captions[system].scores[metric];
    matches = items.filter(fits);
    if (sign) matches.sort((a, b) => (score(a) === null) - (score(b) === null) || sign * (score(a) - score(b)));
    list.replaceChildren();
    draw();
  }
  function draw() {
    const used = pick.order.value || pick.least.value || pick.most.value, chosen = used ? pick.score.value : "";
    const from = list.children.length, page = matches.slice(from, from + AT_A_TIME);
    list.append(...page.map((item, n) => card(item, data.metrics, chosen, from + n, matches.length)));
    const shown = list.children.length, left = matches.length - shown;
    status.textContent = `${numbers.format(matches.length)} of ${numbers.format(items.length)} articles`
      + (left ? `, the first ${numbers.format(shown)} of them below` : "");
    more.textContent = `Show ${Math.min(left, AT_A_TIME)} more`;
    more.hidden = !left;
  }
  function go(place) {
    if (place >= list.children.length) draw();
    const next = list.children[Math.max(0, Math.min(place, list.children.length - 1))];
    if (!next) return;
    for (const article of list.children) article.tabIndex = article === next ? 0 : -1;
    next.focus();
  }
  function clear() {
    for (const control of Object.values(pick)) control.value = "";
    pick.score.selectedIndex = 0;
    choices();
    update();
  }

  panel.addEventListener("input", (event) => {
    if ([pick.kind, pick.system].includes(event.target)) choices();
    update();
  });
  reset.addEventListener("click", clear);
  more.addEventListener("click", () => go(list.children.length));
  list.addEventListener("focusin", (event) => {  // a click moves the place from which j and k go on
    const here = event.target.closest("article");
    for (const article of list.children) article.tabIndex = article === here ? 0 : -1;
  });
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      const reading = list.contains(event.target);  // the article goes, the focus shouldn't
      clear();
      if (reading) go(0);
    } else if (event.target.closest("input, select") || !["j", "k"].includes(event.key)) return;
    else if (list.contains(event.target)) {
      const here = [...list.children].indexOf(event.target.closest("article"));
      go(here + (event.key === "j" ? 1 : -1));
    } else go(0);
    event.preventDefault();
  });
  list.setAttribute("role", "feed");
  list.setAttribute("aria-label", `${numbers.format(items.length)} articles`);
  root.querySelector(".rest").remove();
  list.before(panel, legend, status);
  list.after(more);
  clear();
}

for (const root of document.querySelectorAll('.fashion-gallery[data-kind="show"]:not([data-ready])')) {
  root.dataset.ready = "true";
  start(root);
}
})();
