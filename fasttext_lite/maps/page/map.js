// The map: what is drawn for the state of the page, and what changes that state.

const map = $("map");
const names = new Names($("names"));
let points = pointsOn($("points"));
let hovered = -1;
let selected = -1;
// The cluster that is shown alone, or null.
let lit = null;
let pending = false;
let recolor = true;
let byKeys = false;

function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(draw);
}

const view = new View(redraw);

const radiusOf = () => {
  const room = Math.sqrt((view.width * view.height) / Math.max(count, 1));
  return Math.min(7, Math.min(3.5, Math.max(1.1, 0.16 * room)) * Math.max(1, view.zoom) ** 0.35);
};

/** Draw a word with a ring, and lines to its neighbors. */
function drawNear(i, radius) {
  const { context } = names;
  const [x, y] = [view.left(placeX(i)), view.top(placeY(i))];
  const near = neighborsOf(i);
  context.strokeStyle = names.front;
  for (const [j, cosine] of near) {
    context.globalAlpha = 0.15 + 0.6 * Math.max(0, cosine);
    context.lineWidth = 1.2;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(view.left(placeX(j)), view.top(placeY(j)));
    context.stroke();
  }
  context.globalAlpha = 1;
  for (const [j, width] of [[i, 2.5], ...near.map(([j]) => [j, 1.2])]) {
    context.beginPath();
    context.arc(view.left(placeX(j)), view.top(placeY(j)), radius + (j === i ? 3 : 1), 0, 2 * Math.PI);
    context.lineWidth = width;
    context.stroke();
  }
  names.write(words[i], x, y, { size: 14, weight: 700, offset: radius + 5, always: true });
  for (const [j] of near)
    names.write(words[j], view.left(placeX(j)), view.top(placeY(j)), { weight: 600, offset: radius + 3 });
}

function draw() {
  pending = false;
  const ratio = devicePixelRatio || 1;
  for (const canvas of [points.canvas, names.context.canvas]) {
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
  }
  if (recolor) points.color(wordColors(lit));
  recolor = false;
  const radius = radiusOf();
  points.draw(view, radius, ratio);
  names.begin(view.width, view.height, ratio);
  const shown = [...new Set([selected, hovered])].filter((i) => i >= 0);
  for (const i of shown) drawNear(i, radius);
  names.clusters(view, lit);
  names.words(view, radius, lit);
  if (byKeys && document.activeElement === map) drawCross();
  if (!map.dataset.drawn) {
    map.dataset.drawn = "true";
    performance.mark("map-drawn");
  }
}

/** Mark the centre, where Enter selects. */
function drawCross() {
  const { context } = names;
  const [x, y] = view.middle;
  context.strokeStyle = styled("--strong");
  context.lineWidth = 2;
  context.beginPath();
  for (const [right, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + 5 * right, y + 5 * down);
    context.lineTo(x + 14 * right, y + 14 * down);
  }
  context.stroke();
}

function hover(i) {
  if (i === hovered) return;
  hovered = i;
  map.classList.toggle("over", i >= 0);
  redraw();
}

/** Select a word, or none, and fly to it. */
function select(i, { fly = true } = {}) {
  selected = i;
  hovered = -1;
  if (lit !== null) light(null, { fly: false });
  if (i < 0) {
    showClusters(null, light, select);
    history.replaceState(null, "", location.pathname + location.search);
  } else {
    showWord(i, select, () => { select(-1); map.focus(); });
    history.replaceState(null, "", `#${encodeURIComponent(words[i].toWellFormed?.() ?? words[i])}`);
    if (fly) view.fly(placeX(i), placeY(i), Math.max(view.scale, scaleAround(i)));
  }
  redraw();
}

/** Return a scale at which about a hundred words are around this one. */
function scaleAround(i) {
  const wanted = Math.min(count, 120);
  let [low, high] = [0.001, 1];
  const sample = Math.max(1, Math.floor(count / 20000));
  for (let round = 0; round < 12; round++) {
    const middle = Math.sqrt(low * high);
    let inside = 0;
    for (let j = 0; j < count; j += sample)
      if (Math.abs(placeX(j) - placeX(i)) < middle && Math.abs(placeY(j) - placeY(i)) < middle) inside += sample;
    if (inside < wanted) low = middle;
    else high = middle;
  }
  return view.free / (2 * high);
}

/** Show one cluster alone, or all. */
function light(cluster, { fly = true } = {}) {
  lit = cluster;
  recolor = true;
  if (cluster !== null) selected = -1;
  showClusters(lit, light, select);
  if (cluster !== null && fly) {
    const { anchor, spread } = clusters[cluster];
    const scale = view.free / (4 * Math.max(spread, 0.004));
    view.fly(placeX(anchor), placeY(anchor), scale);
  }
  redraw();
}

function pointed(event, reach = 12) {
  const box = map.getBoundingClientRect();
  const [x, y] = view.placeAt(event.clientX - box.left, event.clientY - box.top);
  return grid.nearest(x, y, reach / view.scale);
}

const fingers = new Map();
let moved = 0;

map.addEventListener("pointerdown", (event) => {
  if (event.button > 0) return;
  map.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event);
  if (fingers.size === 1) moved = 0;
  byKeys = false;
  view.stop();
});

map.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return event.pointerType === "touch" || hover(pointed(event));
  const [right, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
  moved += Math.hypot(right, down);
  // A finger that only touches trembles.
  if (moved > 6) map.classList.add("dragged");
  const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
  if (other) {
    const distance = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    view.pan(right / 2, down / 2);
    view.zoomAt(Math.max(1, distance(event)) / Math.max(1, distance(before)),
      [(event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2]);
  } else if (moved > 6) view.pan(right, down);
  fingers.set(event.pointerId, event);
});

for (const name of ["pointerup", "pointercancel"])
  map.addEventListener(name, (event) => {
    const alone = fingers.delete(event.pointerId) && !fingers.size;
    if (alone) map.classList.remove("dragged");
    if (!alone || moved > 6 || name === "pointercancel") return;
    const i = pointed(event, event.pointerType === "touch" ? 24 : 12);
    if (i !== selected && (i >= 0 || selected >= 0)) select(i, { fly: false });
  });

map.addEventListener("pointerleave", () => hover(-1));
map.addEventListener("dblclick", (event) => view.zoomAt(2, [event.clientX, event.clientY]));
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  // Lines and pages as pixels; a pinch on a touchpad comes with ctrl and small steps.
  const pixels = event.deltaY * [1, 16, 400][event.deltaMode] * (event.ctrlKey ? 5 : 1);
  view.zoomAt(Math.exp(-Math.max(-300, Math.min(300, pixels)) / 400), [event.clientX, event.clientY]);
}, { passive: false });

const STEPS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === $("query")) return;
  const { key } = event;
  if (key === "/") $("query").focus();
  else if (key === "Escape") {
    if (selected >= 0) select(-1);
    else if (lit !== null) light(null);
    map.focus();
  } else if (event.target !== map && event.target !== document.body) return;
  else if (STEPS[key]) {
    const far = (event.shiftKey ? 0.5 : 0.12) * view.free;
    view.pan(...STEPS[key].map((way) => way * far));
  } else if (key === "+" || key === "=") view.zoomAt(1.4);
  else if (key === "-" || key === "_") view.zoomAt(1 / 1.4);
  else if (key === "0" || key === "Home") view.all();
  else if (key === "Enter") {
    const i = grid.nearest(view.x, view.y, view.free / 2 / view.scale);
    if (i >= 0) select(i, { fly: false });
  } else return;
  event.preventDefault();
  byKeys = true;
  redraw();
});

for (const name of ["focus", "blur"]) map.addEventListener(name, redraw);
$("in").addEventListener("click", () => view.zoomAt(1.6));
$("out").addEventListener("click", () => view.zoomAt(1 / 1.6));
$("all").addEventListener("click", () => view.all());
connectSearch((i) => { select(i); map.focus(); }, () => map.focus());

/** Read the colors of the page again. */
function restyle() {
  recolor = true;
  if (selected >= 0) showWord(selected, select, () => select(-1));
  else showClusters(lit, light, select);
  redraw();
}
darkScheme.addEventListener("change", restyle);

points.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
points.canvas.addEventListener("webglcontextrestored", () => {
  points = pointsOn(points.canvas);
  recolor = true;
  redraw();
});

function resize() {
  const box = $("panel").getBoundingClientRect();
  const beside = matchMedia("(min-width: 641px)").matches;
  view.resize(map.clientWidth, map.clientHeight, beside ? box.width + 12 : 0, beside ? 0 : box.height);
}
[view.x, view.y] = held.center;

/** Select the word that the address names after its #. */
function fromAddress() {
  let wanted = "";
  try {
    wanted = decodeURIComponent(location.hash.slice(1));
  } catch {
    // No word.
  }
  const i = wanted ? words.indexOf(wanted) : -1;
  if (i >= 0) select(i);
}
showClusters(null, light, select);
resize();
new ResizeObserver(resize).observe(map);
addEventListener("hashchange", fromAddress);
fromAddress();

// For scripts of tests, and for the console.
globalThis.wordMap = {
  get selected() { return words[selected]; },
  get drawing() { return points.kind; },
  get names() { return names.drawn; },
  // Left, top, right and bottom of each of them.
  get boxes() { return names.boxes; },
  get view() { return { x: view.x, y: view.y, zoom: view.zoom, flying: Boolean(view.frame) }; },
  where: (word) => {
    const i = words.indexOf(word);
    return [view.left(placeX(i)), view.top(placeY(i))];
  },
};
