// What the page holds: the words, their places, clusters and neighbors.

const held = JSON.parse(document.getElementById("data").textContent);

/** Return the numbers of an array that was written as base64. */
function numbers({ bits, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return new { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }[bits](bytes.buffer);
}

/** Return a function that computes its value on the first call. */
function once(compute) {
  let value;
  return () => (value ??= compute());
}

const words = held.words;
const count = words.length;
// x and y of each word by turns, from 0 to 65535, y downwards.
const places = numbers(held.places);
const placeX = (i) => places[2 * i] / 65535;
const placeY = (i) => places[2 * i + 1] / 65535;

// Clusters by falling size; a word's cluster is one of them, or their number if it has none.
const clusters = held.clusters;
const clusterOf = clusters.length ? numbers(held.labels) : new Uint8Array(count);
const inCluster = (i) => clusterOf[i] < clusters.length;

const neighborIds = once(() => numbers(held.neighbors));
const cosines = once(() => numbers(held.cosines));

/** Return the neighbors of a word, best first, as pairs of an index and a cosine. */
function neighborsOf(i) {
  const found = [];
  for (let j = i * held.k; j < (i + 1) * held.k; j++) {
    const near = neighborIds()[j];
    // A word stands for a neighbor that is missing.
    if (near !== i) found.push([near, cosines()[j] / 255]);
  }
  return found;
}

/** Words by place, in the cells of a grid, to find those near a point. */
const grid = (() => {
  const side = Math.max(1, Math.floor(Math.sqrt(count / 2)));
  const cell = (value) => Math.min(side - 1, Math.max(0, Math.floor(value * side)));
  const starts = new Uint32Array(side * side + 1);
  const cells = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    cells[i] = cell(placeY(i)) * side + cell(placeX(i));
    starts[cells[i] + 1]++;
  }
  for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
  const next = starts.slice();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[next[cells[i]]++] = i;

  /** Return the word nearest to a place within a distance, or -1. */
  function nearest(x, y, distance) {
    let best = -1;
    let least = distance * distance;
    for (let row = cell(y - distance); row <= cell(y + distance); row++) {
      const first = starts[row * side + cell(x - distance)];
      const end = starts[row * side + cell(x + distance) + 1];
      for (let j = first; j < end; j++) {
        const i = order[j];
        const away = (placeX(i) - x) ** 2 + (placeY(i) - y) ** 2;
        // Of two words at the same place, the first is the more frequent one.
        if (away < least || (away === least && i < best)) {
          least = away;
          best = i;
        }
      }
    }
    return best;
  }
  return { nearest };
})();

const fold = (text) => text.normalize("NFC").toLowerCase();
const folded = once(() => words.map(fold));

/** Return the best words for what was typed: equal, then beginning so, then holding it. */
function suggestions(typed, most) {
  const wanted = fold(typed.trim());
  const ranks = [[], [], []];
  if (!wanted) return [];
  folded().forEach((word, i) => {
    const at = word.indexOf(wanted);
    if (at >= 0) ranks[at > 0 ? 2 : word.length > wanted.length ? 1 : 0].push(i);
  });
  // Equal but for capitals: what was typed comes first.
  ranks[0].sort((a, b) => (words[b] === typed.trim()) - (words[a] === typed.trim()));
  return ranks.flat().slice(0, most);
}
