// The panel with details of a word or the list of clusters, and the search.

const $ = (id) => document.getElementById(id);

/** Return a new element with attributes and content; texts are never read as HTML. */
function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value);
  }
  made.append(...content);
  return made;
}

const withCommas = (number) => number.toLocaleString("en");

/** Return a circle in the color of a cluster. */
function dot(cluster) {
  const made = element("i", { "aria-hidden": "true" });
  made.style.background = css(clusterColor(cluster));
  return made;
}

const nameOf = (cluster) => clusters[cluster]?.name ?? "no cluster";
const percent = (cosine) => cosine.toFixed(2);

/** What is said of a word: its cluster and its count. */
function about(i) {
  const parts = [];
  if (clusters.length) parts.push(inCluster(i) ? `cluster ${nameOf(clusterOf[i])}` : "no cluster");
  if (held.counts) parts.push(`${withCommas(held.counts[i])} times in the training text`);
  return parts.join(", ");
}

const closeButton = (close) =>
  element("button", { type: "button", class: "close", "aria-label": "Close", click: close }, "✕");

/** Show a word and its neighbors; `choose` is called with a neighbor that is clicked. */
function showWord(i, choose, close) {
  const near = neighborsOf(i);
  $("panel").replaceChildren(
    closeButton(close),
    element("h1", { dir: "auto" }, words[i]),
    element("p", {}, about(i)),
    ...(near.length ? [element("h2", {}, "Nearest, with their cosines")] : []),
    element("ul", {}, ...near.map(([j, cosine]) =>
      element("li", {}, element("button", { type: "button", title: words[j], click: () => choose(j) },
        dot(clusterOf[j]), element("bdi", {}, words[j]), element("span", {}, percent(cosine)))))),
  );
  const said = near.slice(0, 5).map(([j]) => words[j]).join(", ");
  $("status").textContent = `${words[i]}; ${about(i)}${said && `; nearest: ${said}`}`;
}

/** Show the list of clusters, or one of them and its most frequent words. */
function showClusters(lit, choose, chooseWord) {
  const list = (items) => element("ul", {}, ...items);
  const button = (click, c, text, right) =>
    element("li", {}, element("button", { type: "button", title: text, click }, dot(c),
      element("bdi", {}, text), element("span", {}, right)));
  if (lit !== null) {
    const members = [];
    for (let i = 0; i < count && members.length < 50; i++) if (clusterOf[i] === lit) members.push(i);
    $("panel").replaceChildren(
      closeButton(() => choose(null)),
      element("h1", { dir: "auto" }, nameOf(lit)),
      element("p", {}, `${withCommas(clusters[lit].size)} ${held.kind}`),
      list(members.map((i) => button(() => chooseWord(i), lit, words[i], ""))),
    );
    $("status").textContent = `cluster ${nameOf(lit)}, ${withCommas(clusters[lit].size)} ${held.kind}`;
    return;
  }
  $("panel").replaceChildren(
    element("h1", { dir: "auto" }, held.title),
    element("p", {}, `${withCommas(count)} ${held.kind}`
      + (clusters.length ? `, ${withCommas(clusters.length)} clusters` : "")),
    list(clusters.slice(0, 100).map(({ name, size }, c) =>
      button(() => choose(c), c, name, withCommas(size)))),
  );
  $("status").textContent = "";
}

/** Connect the search box; `choose` is called with a word. */
function connectSearch(choose, leave) {
  const [box, list] = [$("query"), $("found")];
  let found = [];
  let current = -1;
  box.placeholder = `Search ${withCommas(count)} ${held.kind}`;

  function mark(which) {
    current = which;
    [...list.children].forEach((item, j) => item.setAttribute("aria-selected", j === current));
    if (current < 0) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", `found-${current}`);
    list.children[current].scrollIntoView({ block: "nearest" });
  }

  function close() {
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    mark(-1);
  }

  function suggest() {
    found = suggestions(box.value, 12);
    list.replaceChildren(...found.map((i, j) =>
      element("li", { id: `found-${j}`, role: "option", "aria-selected": "false", dir: "auto" }, words[i])));
    const nothing = !found.length && box.value.trim();
    if (nothing) list.append(element("li", { class: "none", role: "option", "aria-disabled": "true" }, "Not on this map"));
    list.hidden = !found.length && !nothing;
    list.scrollTop = 0;
    box.setAttribute("aria-expanded", String(!list.hidden));
    mark(found.length ? 0 : -1);
  }

  function take(j) {
    if (!found.length) return;
    const i = found[Math.max(0, j)];
    box.value = shortened(words[i]);
    close();
    choose(i);
  }

  box.addEventListener("input", suggest);
  box.addEventListener("focus", () => box.value && suggest());
  box.addEventListener("blur", close);
  // Before the box loses its focus.
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const j = [...list.children].indexOf(event.target.closest("li"));
    if (j >= 0) take(j);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) suggest();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (found.length) mark((current + step + found.length) % found.length);
    } else if (event.key === "Enter" && !event.isComposing) {
      if (list.hidden) suggest();
      take(current);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (!list.hidden) close();
      else if (box.value) box.value = "";
      else leave();
    }
  });
}
