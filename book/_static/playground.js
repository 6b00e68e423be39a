// The metric playground. First the metrics, as functions without a page; the global
// object `playground` has them, and tests/book/test_playground.py holds each equal to
// the library's. Then the page: two forms whose results follow what is typed.
globalThis.playground = (() => {
  const ORDERS = [1, 2, 3, 4]; // runs of one to four words
  const TINY = 1e-15, SMALL = 1e-9; // pycocoevalcap's guards against division by zero
  const BETA = 1.2; // ROUGE-L weighs recall BETA^2 times as much as precision
  const SIGMA = 6; // of CIDEr-D's length penalty, in pairs of words

  const sum = (values) => values.reduce((total, value) => total + value, 0);

  // Captions. A text is an array of words.

  function words(text) {
    return text.toLowerCase().match(/[\p{L}\p{N}]+(?:[-/&'’][\p{L}\p{N}]+)*/gu) ?? [];
  }

  // The runs of `order` words: Map from each to how often it stands in the text.
  function grams(text, order) {
    const counts = new Map();
    for (let start = 0; start + order <= text.length; start++) {
      const gram = text.slice(start, start + order).join(" ");
      counts.set(gram, (counts.get(gram) ?? 0) + 1);
    }
    return counts;
  }

  // The caption's runs that match, each at most as often as one reference has it.
  function matches(caption, references, order) {
    const theirs = references.map((reference) => grams(reference, order));
    const matched = new Map();
    for (const [gram, count] of grams(caption, order)) {
      const most = Math.max(0, ...theirs.map((counts) => counts.get(gram) ?? 0));
      if (most) matched.set(gram, Math.min(count, most));
    }
    return matched;
  }

  const runs = (text, order) => Math.max(0, text.length - order + 1);

  // BLEU-1 to BLEU-4.
  function bleu(caption, references) {
    const lengths = references.map((reference) => reference.length);
    const far = (length) => Math.abs(length - caption.length);
    const [closest] = lengths.sort((a, b) => far(a) - far(b) || a - b);
    const ratio = (caption.length + TINY) / (closest + SMALL);
    const brevity = Math.exp(Math.min(0, 1 - 1 / ratio));
    let product = 1;
    return ORDERS.map((order) => {
      const matched = sum([...matches(caption, references, order).values()]);
      product *= (matched + TINY) / (runs(caption, order) + SMALL);
      return product ** (1 / order) * brevity;
    });
  }

  // The length of the longest common subsequence, one row of the table at a time.
  function longestCommon(one, other) {
    let row = new Array(other.length + 1).fill(0);
    for (const word of one) {
      const above = row;
      row = [0];
      other.forEach((its, n) =>
        row.push(its === word ? above[n] + 1 : Math.max(above[n + 1], row[n])));
    }
    return row[other.length];
  }

  function rougeL(caption, references) {
    if (!caption.length) return 0;
    const common = references.map((reference) => longestCommon(caption, reference));
    const precision = Math.max(...common) / caption.length;
    const recall = Math.max(...common.map((n, i) => n / references[i].length));
    if (!precision || !recall) return 0;
    return (1 + BETA ** 2) * precision * recall / (recall + BETA ** 2 * precision);
  }

  // What CIDEr's weights need: in how many documents (arrays of texts) a run stands.
  function frequencies(documents) {
    const holders = new Map();
    for (const texts of documents) {
      const found = texts.flatMap((text) =>
        ORDERS.flatMap((order) => [...grams(text, order).keys()]));
      for (const gram of new Set(found)) holders.set(gram, (holders.get(gram) ?? 0) + 1);
    }
    return { count: documents.length, holders };
  }

  // A run's weight; one that no document has counts as in one.
  function weight(gram, documents) {
    return Math.log(documents.count) - Math.log(documents.holders.get(gram) ?? 1);
  }

  // CIDEr-D, the mean over the references.
  function cider(caption, references, documents) {
    const weigh = (text, order) => new Map([...grams(text, order)].map(
      ([gram, count]) => [gram, count * weight(gram, documents)]));
    const square = (weights) => sum([...weights.values()].map((value) => value ** 2));

    function cosine(reference, order) {
      const mine = weigh(caption, order), theirs = weigh(reference, order);
      const shared = sum([...theirs].map(
        ([gram, value]) => Math.min(mine.get(gram) ?? 0, value) * value));
      const norm = Math.sqrt(square(mine) * square(theirs));
      return norm && shared / norm;
    }

    return sum(references.map((reference) => {
      const gap = runs(caption, 2) - runs(reference, 2);
      const mean = sum(ORDERS.map((order) => cosine(reference, order))) / ORDERS.length;
      return 10 * mean * Math.exp(-(gap ** 2) / (2 * SIGMA ** 2));
    })) / references.length;
  }

  // Lists. `hits` has true or false for each of the k places, `relevant` is the number
  // of relevant items. Each metric is a sum over the places: the functions return its
  // parts, one a place.

  function judge(recommended, relevant, k) {
    const wanted = new Set(relevant);
    return Array.from({ length: k }, (_, place) => wanted.has(recommended[place]));
  }

  function precisions(hits) {
    let found = 0;
    return hits.map((hit, place) => (found += hit) / (place + 1));
  }

  function averagePrecision(hits, relevant) {
    const most = Math.min(relevant, hits.length);
    return precisions(hits).map((value, place) => hits[place] ? value / most : 0);
  }

  const elliotMap = (hits) => precisions(hits).map((value) => value / hits.length);

  function ndcg(hits, relevant) {
    const discounts = hits.map((_, place) => 1 / Math.log2(place + 2));
    const ideal = sum(discounts.slice(0, relevant));
    return discounts.map((value, place) => hits[place] ? value / ideal : 0);
  }

  const precision = (hits) => hits.map((hit) => hit / hits.length);
  const recall = (hits, relevant) => hits.map((hit) => hit / relevant);

  return {
    ORDERS, sum, words, matches, runs, bleu, longestCommon, rougeL,
    frequencies, weight, cider,
    judge, precisions, averagePrecision, elliotMap, ndcg, precision, recall,
  };
})();

// The page. What a reader types is only ever set as text, never as HTML.
document.addEventListener("DOMContentLoaded", () => {
  const { ORDERS, sum, words, matches, runs } = playground;
  const find = (id) => document.getElementById(`playground-${id}`);
  const lines = (id) =>
    find(id).value.split("\n").map((line) => line.trim()).filter(Boolean);

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  // A row of a table: the first cell is its head.
  function row([head, ...cells]) {
    const made = document.createElement("tr");
    made.append(element("th", head, { scope: "row" }));
    made.append(...cells.map((cell) => element("td", cell)));
    return made;
  }

  // Compute again after each change of the form. `compute` draws what is its own and
  // returns the scores by name; what it throws is shown in their place. A change is
  // against the scores at the last pause of a second, after which it is read out.
  function follow(name, compute) {
    const form = find(name), said = form.querySelector("output");
    let before = {}, shown = {}, timer = null;

    function update() {
      if (timer === null) before = shown;
      clearTimeout(timer);
      timer = setTimeout(() => { timer = null; said.textContent = sentence(); }, 1000);
      let fault = "";
      try {
        shown = compute();
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        fault = error.message;
        shown = {};
      }
      find(`${name}-fault`).textContent = fault;
      find(`${name}-scores`).replaceChildren(...Object.entries(shown).map(
        ([metric, score]) => row([metric, score.toFixed(3), change(metric)])));
    }

    function change(metric) {
      const moved = (shown[metric] - before[metric]).toFixed(3);
      if (!(metric in before) || Number(moved) === 0) return "";
      return moved.startsWith("-") ? `▼ ${moved.slice(1)}` : `▲ ${moved}`;
    }

    function sentence() {
      return Object.entries(shown).map(([metric, score]) => {
        const moved = change(metric).replace("▼", "down").replace("▲", "up");
        return `${metric} ${score.toFixed(3)}${moved && `, ${moved}`}`;
      }).join("; ");
    }

    form.addEventListener("input", update);
    form.addEventListener("reset", () => setTimeout(update)); // once it has happened
    form.addEventListener("submit", (event) => event.preventDefault());
    update();
    clearTimeout(timer); // the page's own texts aren't read out
    timer = null;
  }

  // A text's words, those of a run in `left` marked, as often as `left` says. Runs that
  // overlap are one mark, runs side by side are two.
  function marked(node, text, order, left) {
    const inside = new Set(), joined = new Set(); // places; joined to the word before
    for (let start = 0; start + order <= text.length; start++) {
      const gram = text.slice(start, start + order).join(" ");
      if (!left.get(gram)) continue;
      left.set(gram, left.get(gram) - 1);
      for (let n = start; n < start + order; n++) {
        inside.add(n);
        if (n > start) joined.add(n);
      }
    }
    node.replaceChildren();
    text.forEach((word, n) => {
      if (joined.has(n)) node.lastChild.textContent += ` ${word}`;
      else node.append(n ? " " : "", inside.has(n) ? element("mark", word) : word);
    });
    return node;
  }

  const corpus = playground.captions.map((caption) => [words(caption)]);
  const documents = playground.frequencies(corpus);
  find("corpus").append(...playground.captions.map((text) => element("li", text)));

  follow("captions", () => {
    const caption = words(find("caption").value);
    const references = lines("references").map(words).filter((text) => text.length);
    const order = Number(document.querySelector("[name=order]:checked").value);
    marked(find("marked-caption"), caption, order, matches(caption, references, order));
    find("marked-references").replaceChildren(...references.map((text) => {
      const made = marked(element("li", ""), text, order, matches(text, [caption], order));
      const common = playground.longestCommon(caption, text);
      made.append(` (longest common subsequence: ${common})`);
      return made;
    }));
    find("runs").replaceChildren(...ORDERS.map((n) => {
      const matched = matches(caption, references, n);
      const weighed = [...matched.keys()].map(
        (gram) => `${gram} (${playground.weight(gram, documents).toFixed(2)})`);
      const counts = `${sum([...matched.values()])} of ${runs(caption, n)}`;
      return row([n, counts, weighed.join(", ") || "none"]);
    }));
    if (!references.length) throw new RangeError("Write a reference with a word in it.");
    const bleu = playground.bleu(caption, references);
    return {
      ...Object.fromEntries(ORDERS.map((n) => [`BLEU-${n}`, bleu[n - 1]])),
      "ROUGE-L": playground.rougeL(caption, references),
      CIDEr: playground.cider(caption, references, documents),
    };
  });

  follow("lists", () => {
    const recommended = lines("recommended"), relevant = new Set(lines("relevant"));
    const k = Number(find("k").value);
    find("places").replaceChildren();
    const twice = recommended.find((item, n) => recommended.indexOf(item) < n);
    if (twice !== undefined)
      throw new RangeError(`“${twice}” is recommended twice; a list holds distinct items.`);
    if (!relevant.size) throw new RangeError("Write a relevant item.");
    if (!Number.isInteger(k) || k < 1 || k > 20)
      throw new RangeError("k is a whole number from 1 to 20.");
    const hits = playground.judge(recommended, relevant, k);
    const parts = {
      AP: playground.averagePrecision(hits, relevant.size),
      "Elliot’s MAP": playground.elliotMap(hits),
      NDCG: playground.ndcg(hits, relevant.size),
      precision: playground.precision(hits),
      recall: playground.recall(hits, relevant.size),
    };
    const soFar = playground.precisions(hits);
    find("places").append(...hits.map((hit, place) => row([
      place + 1, recommended[place] ?? "(empty)", hit ? "yes" : "no",
      ...[soFar, ...Object.values(parts)].map((part) => part[place].toFixed(3)),
    ])));
    return Object.fromEntries(
      Object.entries(parts).map(([metric, part]) => [metric, sum(part)]));
  });
});
