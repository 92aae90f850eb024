/**
 * Read compact files of fasttext-lite, as docs/compact-file.md specifies them: from memory, from a Blob, or by
 * ranges of an address. Bytes are read when a question needs them.
 *
 * @typedef {{model: string, dim: number, word_count: number, label_count: number, [more: string]: any}} Info
 */
const SIZES = { U8: 1, I8: 1, F16: 2, F32: 4, I32: 4, U32: 4, I64: 8, U64: 8 };
const MATRICES = { F32: Float32Array, F16: Uint16Array, I8: Int8Array };
const DTYPES = { F32: "float32", F16: "float16", I8: "int8" };
const TEXTS = { model: ["cbow", "skip-gram", "supervised", "sent2vec", "sent2vec-cbow", "vectors"],
  loss: ["hs", "ns", "softmax", "ova", "none"], unknown_words: ["subwords", "error"] };
const LONGEST_HEADER = 1 << 20, MOST = 2 ** 31 - 1, MOST_PROBES = 1024;
const LEAST = { dim: 1, word_count: 0, label_count: 0, bucket: 0, minn: -MOST, maxn: -MOST, word_ngrams: -MOST };
// Sizes in bytes, and in pages. Those whose numbers differ by at most GAP are read by one request.
const FIRST = 1 << 16, PAGE = 1 << 14, GAP = 3, MOST_PAGES = 4096, LARGEST_READ = 1 << 24;
const BASIS = 2166136261, PRIME = 16777619, MULTIPLIER = 116049371n, END = "</s>", BIAS = 1e-5, float = Math.fround;
const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** The file is damaged, or is no compact file. */
export class FormatError extends Error { name = "FormatError"; }
/** The model has no vector for a word. */
export class UnknownWordError extends Error { name = "UnknownWordError"; }
/** The server does not send what it was asked for, or its file has changed. */
export class FetchError extends Error { name = "FetchError"; }
function check(good, field, reason) { if (!good) throw new FormatError(`${field}: ${reason}`); }
class Source {
  pages = new Map(); wanted = new Map();
  constructor(size, read, bytes = null) { Object.assign(this, { size, read, bytes }); }
  /** @returns {Promise<Uint8Array>} */
  async get(begin, end) {
    if (this.bytes) return this.bytes.subarray(begin, end);
    const out = new Uint8Array(end - begin), first = Math.floor(begin / PAGE), pages = [];
    for (let page = first; page * PAGE < end; page++) pages.push(this.pages.get(page) ?? this.ask(page));
    (await Promise.all(pages)).forEach((page, i) => {
      const from = (first + i) * PAGE;
      out.set(page.subarray(Math.max(0, begin - from), end - from), Math.max(0, from - begin));
    });
    return out;
  }
  ask(page) {
    if (this.pages.size > MOST_PAGES) this.pages = new Map([...this.pages].filter(([one]) => this.wanted.has(one)));
    // What is asked for in the same turn is read together.
    if (!this.wanted.size) setTimeout(() => this.fill());
    this.pages.set(page, new Promise((resolve, reject) => this.wanted.set(page, { resolve, reject })));
    return this.pages.get(page);
  }
  fill() {
    const { wanted } = this, runs = [];
    for (const page of [...wanted.keys()].sort((x, y) => x - y)) {
      const run = runs.at(-1) ?? [-Infinity];
      if (page - run.at(-1) <= GAP && (page - run[0]) * PAGE < LARGEST_READ) run.push(page); else runs.push([page]);
    }
    this.wanted = new Map();
    for (const run of runs) this.read(run[0] * PAGE, Math.min((run.at(-1) + 1) * PAGE, this.size)).then(
      (data) => run.map((page) => wanted.get(page).resolve(data.subarray((page - run[0]) * PAGE).subarray(0, PAGE))),
      (error) => run.map((page) => [this.pages.delete(page), wanted.get(page).reject(error)]));
  }
}

/** The file of an address, read by ranges. A server without ranges sends all, which is kept. */
async function remote(address, fetch, init, traffic) {
  let known = null;
  const ask = async (begin, end) => {
    const headers = new Headers(init.headers);
    headers.set("Range", `bytes=${begin}-${end - 1}`);
    const answer = await fetch(address, { ...init, headers }), whole = answer.status === 200;
    const [range, length, tag] = ["Content-Range", "Content-Length", "ETag"].map((name) => answer.headers.get(name));
    const [, first, last, total] = (/^bytes (\d+)-(\d+)\/(\d+)$/.exec(range ?? "") ?? []).map(Number);
    if (!whole && !(answer.status === 206 && first === begin && last === Math.min(end, total) - 1
      && Number(length ?? last + 1 - first) === last + 1 - first))
      throw new FetchError(`${address} answered ${answer.status} ${answer.statusText} ${range ?? ""}`);
    if (whole && Number(length) > MOST) throw new FetchError(`${address} is large and has no ranges`);
    const bytes = new Uint8Array(await answer.arrayBuffer()), size = whole ? bytes.length : total;
    Object.assign(traffic, { bytes: traffic.bytes + bytes.length, requests: traffic.requests + 1 });
    if (!whole && bytes.length !== last + 1 - first) throw new FetchError(`${address} sent a part of ${range}`);
    known ??= `${size} ${tag}`;
    if (known !== `${size} ${tag}`) throw new FetchError(`${address} has changed`);
    return { size, all: bytes.length === size ? bytes : null, bytes: whole ? bytes.subarray(begin, end) : bytes };
  };
  const { size, bytes, all } = await ask(0, FIRST);
  const source = new Source(size, async (begin, end) => (await ask(begin, end)).bytes, all);
  for (let at = 0; at < bytes.length; at += PAGE) source.pages.set(at / PAGE, bytes.subarray(at, at + PAGE));
  return source;
}

/**
 * Open a compact file.
 * @param {string | URL | Blob | ArrayBuffer | Uint8Array} from  an address is read by ranges
 * @param {{fetch?: typeof globalThis.fetch, init?: RequestInit, labelPrefix?: string}} [options]  `init` (headers,
 *   signal, credentials) goes to each `fetch`
 * @returns {Promise<Model>}  or a FormatError if the file is damaged, a FetchError if the server does not send it
 */
export async function open(from, { fetch = globalThis.fetch, init = {}, labelPrefix = "__label__" } = {}) {
  const traffic = { bytes: 0, requests: 0 };
  const part = async (begin, end) => new Uint8Array(await /** @type {Blob} */ (from).slice(begin, end).arrayBuffer());
  // Views of numbers need an aligned beginning.
  const bytes = from instanceof ArrayBuffer ? new Uint8Array(from) : from.byteOffset % 8 ? new Uint8Array(from) : from;
  const source = typeof from === "string" || from instanceof URL ? await remote(String(from), fetch, init, traffic)
    : from instanceof Blob ? new Source(from.size, part) : new Source(bytes.length, null, bytes);
  return new Model(source, traffic, labelPrefix)._open();
}
const bytesOf = (word) => typeof word === "string" ? encoder.encode(word) : word;
const textOf = (bytes) => decoder.decode(bytes), sigmoid = (x) => 1 / (1 + Math.exp(-x));
const natural = (x) => Number.isSafeInteger(x) && x >= 0;
// One step of the 32-bit FNV-1a hash, whose bytes are sign-extended.
const hashed = (hash, byte) => Math.imul(hash ^ (byte << 24 >> 24), PRIME);
const hashOf = (bytes) => bytes.reduce(hashed, BASIS) >>> 0;

/** The numbers of an array; those of 64 bits as pairs, the lower half first. */
function numbers(dtype, { buffer, byteOffset, length }) {
  const kind = MATRICES[dtype] ?? (SIZES[dtype] === 1 ? Uint8Array : Uint32Array);
  return new kind(buffer, byteOffset, length / kind.BYTES_PER_ELEMENT);
}

const HALVES = Float32Array.from({ length: 1 << 16 }, (_, bits) => {
  const exponent = bits >> 10 & 31, fraction = bits & 1023, size = exponent ? 1024 + fraction : fraction;
  return (bits >> 15 ? -1 : 1) * (exponent < 31 ? size * 2 ** (Math.max(exponent, 1) - 25) : fraction ? NaN : Infinity);
});
// A row of a matrix as float32.
function decoded(data, at, dim, scale) {
  if (data instanceof Float32Array) return data.subarray(at, at + dim);
  const row = new Float32Array(dim), coded = data instanceof Int8Array;
  for (let j = 0; j < dim; j++) row[j] = coded ? data[at + j] * scale : HALVES[data[at + j]];
  return row;
}

function softmax(scores) {
  const most = scores.reduce((x, y) => Math.max(x, y));
  const powers = scores.map((x) => float(Math.exp(x - most))), sum = powers.reduce((x, y) => float(x + y));
  return powers.map((x) => float(x / sum));
}

/** The product of the turns, each plus a bias, on the way from the root of the Huffman tree to each label. */
function hierarchical(scores, counts, bias) {
  const labels = counts.length, sums = [...counts], turns = [], chances = new Array(2 * labels - 1).fill(1);
  let leaf = labels - 1, fork = labels;
  const least = () => leaf >= 0 && !(sums[fork] <= sums[leaf]) ? leaf-- : fork++;
  for (let i = 0; i < labels - 1; i++) sums.push((turns[i] = [least(), least()]).reduce((sum, x) => sum + sums[x], 0));
  for (let i = labels - 2; i >= 0; i--) for (const right of [0, 1])
    chances[turns[i][right]] = chances[labels + i] * (sigmoid(right ? scores[i] : -scores[i]) + bias);
  return chances.slice(0, labels);
}

/** A model in a compact file: `info`, and `traffic`, the bytes and requests that it took so far. */
export class Model {
  constructor(source, traffic, prefix) {
    Object.assign(this, { _source: source, _prefix: encoder.encode(prefix), traffic });
    this.info = /** @type {Info} */ (/** @type {unknown} */ (null));
  }
  /** The vector of a word, known or not. @param {string | Uint8Array} word @returns {Promise<Float32Array>} */
  async vector(word) {
    const key = bytesOf(word), { word_count: words, unknown_words: unknown } = this.info, id = await this._find(key);
    if (id >= 0 && id < words && this._words) return (await this._rows(this._words, [id]))[0].slice();
    if ((id < 0 || id >= words) && unknown === "error")
      throw new UnknownWordError(`the model has no vector for ${textOf(key)}`);
    const own = this._output ? id : id - words, rows = await this._bucketRows(this._ngrams(key));
    return this._mean(id >= 0 && own < this._input.array.shape[0] ? [own, ...rows] : rows);
  }
  /** The vectors of words, in few requests. @param {Iterable<string | Uint8Array>} words */
  async vectors(words) { return Promise.all(Array.from(words, (word) => this.vector(word))); }
  /**
   * The labels of a text, best first; newlines count as spaces. Empty if no part of it is known.
   * @param {string} text @param {{k?: number, threshold?: number}} [options]  k = -1: all labels
   * @returns {Promise<{label: string, probability: number}[]>}
   */
  async predict(text, { k = 1, threshold = 0 } = {}) {
    if (!this._output) throw new TypeError(`a ${this.info.model} model has no labels to predict`);
    const { word_count: words, label_count: labels, loss } = this.info, rows = await this._lineRows(text);
    if (!rows.length || !labels) return [];
    const hidden = await this._mean(rows), all = Array.from({ length: labels }, (_, i) => i);
    const scores = (await this._rows(this._output, all)).map(
      (row) => row.reduce((sum, x, j) => float(sum + float(x * hidden[j])), 0));
    const table = (x) => Math.abs(x) > 8 ? Number(x > 0) : sigmoid(Math.floor((x + 8) * 32) / 32 - 8);
    const halves = await this._some(this._counts, 2 * words, 2 * labels);
    const counts = all.map((i) => halves[2 * i] + (halves[2 * i + 1] | 0) * 2 ** 32);
    const tree = loss === "hs", found = tree ? hierarchical(scores, counts, 0)
      : loss === "softmax" ? softmax(scores) : scores.map(table);
    const limited = tree ? hierarchical(scores, counts, BIAS).map((x) => x - BIAS) : found;
    check(!found.some(Number.isNaN), "output", "a probability is not a number");
    const best = all.filter((i) => limited[i] >= threshold).sort((i, j) => found[j] - found[i]);
    return Promise.all(best.slice(0, k < 0 ? labels : k).map(async (i) => (
      { label: textOf(await this._text(words + i)), probability: found[i] })));
  }
  /**
   * The nearest of the first words by cosine, without the word itself; their rows are loaded.
   * @param {string | Float32Array} query @param {{k?: number, words?: number}} [options]
   * @returns {Promise<{word: string, score: number}[]>}
   */
  async neighbors(query, { k = 10, words = Infinity } = {}) {
    if (!this._words) throw new TypeError("a supervised model has no rows of words to search");
    const { dim, word_count } = this.info, count = Math.min(words, word_count), best = [];
    const vector = typeof query === "string" ? await this.vector(query) : query, length = Math.hypot(...vector);
    const { array, scales } = this._words, [rows, norms, factors] = await Promise.all([[array, count * dim],
      [this._norms, count], [scales, count]].map(([part, size]) => part && this._some(part, 0, size)));
    for (let id = 0; id < count; id++) {
      const row = decoded(rows, id * dim, dim, factors?.[id]);
      let dot = 0;
      for (let j = 0; j < dim; j++) dot += row[j] * vector[j];
      const score = dot / (norms[id] * length || 1);
      // One more than asked for, since the word itself is among them.
      if (best.length > k && !(score > best[k].score)) continue;
      const at = best.findIndex((other) => other.score < score);
      best.splice(at < 0 ? best.length : at, 0, { id, score });
      best.length = Math.min(best.length, k + 1);
    }
    const found = best.map(async ({ id, score }) => ({ word: textOf(await this._text(id)), score }));
    return (await Promise.all(found)).filter(({ word }) => word !== query).slice(0, k);
  }

  async _open() {
    const { size } = this._source;
    check(size >= 8, "header length", `the file has ${size} bytes`);
    const [low, high] = numbers("U64", await this._source.get(0, 8)), start = 8 + low;
    check(!high && low <= LONGEST_HEADER && start <= size, "header length", "no compact file, or a part of one");
    const header = await this._source.get(8, start), strict = new TextDecoder("utf-8", { fatal: true });
    let arrays, metadata, model;
    try {
      ({ __metadata__: metadata, ...arrays } = JSON.parse(strict.decode(header)));
      model = { ...JSON.parse(metadata.model) };
    } catch (error) { throw new FormatError(`header: it describes no model: ${error.message}`); }
    check(metadata.format === "fasttext-lite", "format", "this is a file of another program");
    check(metadata.version === "1", "version", `${metadata.version} is not supported, only 1 is`);
    for (const [name, known] of Object.entries(TEXTS))
      check(known.includes(model[name]), `model.${name}`, `${model[name]} is none of ${known}`);
    for (const [name, least] of Object.entries(LEAST))
      check(Number.isInteger(model[name]) && model[name] >= least && model[name] <= MOST, `model.${name}`,
        `${model[name]} is no whole number from ${least} to ${MOST}`);
    this._arrays = new Map();
    const place = ([, array]) => [].concat(array?.data_offsets ?? []).reduce((x, y) => x + y, 0);
    let end = start;
    for (const [name, array] of Object.entries(arrays).sort((x, y) => place(x) - place(y))) {
      const { dtype, shape, data_offsets: at } = array ?? {}, begin = end;
      check(Object.hasOwn(SIZES, dtype) && [shape, at].every((x) => Array.isArray(x) && x.every(natural))
        && start + at[0] === begin && shape.reduce((x, y) => x * y, SIZES[dtype]) === at[1] - at[0], name,
      "its size contradicts its shape, or it does not follow the array before it");
      this._arrays.set(name, { dtype, shape, begin, end: end = start + at[1] });
    }
    check(end === size, "end of file", `the arrays end at byte ${end}, the file at ${size}`);
    const { word_count: words, label_count: labels, bucket, dim } = model, supervised = model.model === "supervised";
    this._entries = words + labels;
    for (this._slots = 2; this._slots < 2 * this._entries;) this._slots *= 2;
    this._texts = this._array("vocabulary.text", "U8", null);
    this._offsets = this._array("vocabulary.offsets", "U64", this._entries + 1);
    this._counts = this._array("vocabulary.counts", "I64", this._entries);
    this._index = this._array("vocabulary.index", "U32", this._slots);
    this._kept = this._arrays.has("subwords.buckets") ? this._array("subwords.buckets", "I32", null) : null;
    const kept = this._kept ? this._kept.shape[0] : bucket;
    for (this._shift = 0; (bucket >> this._shift) > 2 * kept;) this._shift++;
    if (this._kept) this._table = this._array("subwords.table", "U32", (bucket >> this._shift) + 2);
    this._input = this._matrix(supervised ? "input" : "subwords", (supervised ? words : 0) + kept, dim);
    if (supervised) this._output = this._matrix("output", labels, dim);
    else [this._words, this._norms] = [this._matrix("words", words, dim), this._array("words.norms", "F32", words)];
    this.info = { ...model, dtype: DTYPES[(this._words ?? this._input).array.dtype], size };
    return this;
  }
  /** An array, which must have this type and shape; null stands for any number. */
  _array(name, dtype, ...shape) {
    const array = this._arrays.get(name), { begin, end } = array ?? {}, { bytes } = this._source;
    check(array?.dtype === dtype && array.shape.length === shape.length && shape.every((x, i) => (x ?? array.shape[i])
      === array.shape[i]) && (begin % 64 === 0 || begin === end), name,
    `${array?.dtype} of shape [${array?.shape}] from byte ${begin}, not ${dtype} of [${shape}]`);
    return { ...array, all: bytes && begin < end ? numbers(dtype, bytes.subarray(begin, end)) : null };
  }
  _matrix(name, ...shape) {
    const { dtype } = this._arrays.get(name) ?? {};
    return { array: this._array(name, dtype in MATRICES ? dtype : "F32", ...shape),
      scales: dtype === "I8" ? this._array(`${name}.scales`, "F32", shape[0]) : null };
  }
  /** Some numbers of an array; those of 64 bits count twice. */
  async _some(array, at, count) {
    if (array.all) return array.all.subarray(at, at + count);
    const width = Math.min(SIZES[array.dtype], 4), begin = array.begin + at * width;
    return numbers(array.dtype, await this._source.get(begin, begin + count * width));
  }
  async _text(id) {
    const [begin, high, end, high2] = await this._some(this._offsets, 2 * id, 4);
    check(!high && !high2 && begin <= end && end <= this._texts.shape[0], "vocabulary.offsets", `entry ${id}`);
    return this._some(this._texts, begin, end - begin);
  }
  async _find(key) {
    const hash = hashOf(key), unit = 2 ** (32 - Math.clz32(this._entries));
    for (let probe = 0; probe < MOST_PROBES; probe++) {
      const [slot] = await this._some(this._index, (hash + probe) % this._slots, 1), id = slot % unit - 1;
      if (slot === 0) break;
      if (slot - id - 1 !== hash - hash % unit) continue;
      check(id >= 0 && id < this._entries, "vocabulary.index", `there is no entry ${id}`);
      const text = await this._text(id);
      if (text.length === key.length && text.every((byte, i) => byte === key[i])) return id;
    }
    return -1;
  }
  _ngrams(key) {
    const { minn, maxn, bucket } = this.info, text = [60, ...key, 62], found = [];
    if (minn < 0 || !maxn || !bucket || textOf(key) === END) return found;
    for (let start = 0; start < text.length; start++) {
      if ((text[start] & 0xC0) === 0x80) continue;
      for (let n = 1, end = start, hash = BASIS; end < text.length && (maxn < 0 || n <= maxn); n++) {
        do hash = hashed(hash, text[end++]); while ((text[end] & 0xC0) === 0x80);
        if (n >= minn && (n > 1 || start && end < text.length)) found.push((hash >>> 0) % bucket);
      }
    }
    return found;
  }
  async _bucketRows(buckets) {
    const first = this._output ? this.info.word_count : 0;
    const rows = await Promise.all(buckets.map(async (bucket) => {
      if (!this._kept) return first + bucket;
      const [low, high] = await this._some(this._table, bucket >> this._shift, 2);
      check(low <= high && high <= this._kept.shape[0], "subwords.table", `a range from ${low} to ${high}`);
      const at = (await this._some(this._kept, low, high - low)).indexOf(bucket);
      return at < 0 ? -1 : first + low + at;
    }));
    return rows.filter((row) => row >= 0);
  }
  /** @returns {Promise<Float32Array[]>} */
  async _rows({ array, scales }, rows) {
    const { dim } = this.info;
    if (array.all) return rows.map((row) => decoded(array.all, row * dim, dim, scales?.all[row]));
    return Promise.all(rows.map(async (row) => {
      const parts = [this._some(array, row * dim, dim), scales && this._some(scales, row, 1)];
      const [data, scale] = await Promise.all(parts);
      return decoded(data, 0, dim, scale?.[0]);
    }));
  }
  /** The mean of rows of the input, summed in their order. */
  async _mean(rows) {
    const sum = new Float32Array(this.info.dim), factor = float(1 / rows.length);
    for (const row of await this._rows(this._input, rows)) for (let j = 0; j < sum.length; j++) sum[j] += row[j];
    return rows.length ? sum.map((x) => x * factor) : sum;
  }
  /** The rows of a line: those of each token, then those of the word n-grams. */
  async _lineRows(text) {
    const { word_count: words, maxn, word_ngrams: longest, bucket } = this.info;
    const tokens = [...text.split(/[ \n\r\t\v\f\0]+/).filter(Boolean), END], hashes = [], buckets = [];
    const keys = tokens.slice(0, tokens.indexOf(END) + 1).map(bytesOf);
    const ids = await Promise.all(keys.map((key) => this._find(key)));
    const rows = await Promise.all(keys.map(async (key, i) => {
      const known = ids[i] >= 0;
      if (known ? ids[i] >= words : this._prefix.every((byte, j) => byte === key[j])) return [];
      hashes.push(BigInt(hashOf(key) | 0));
      const ngrams = known && maxn <= 0 ? [] : this._ngrams(key);
      return [...known ? [ids[i]] : [], ...await this._bucketRows(ngrams)];
    }));
    for (let i = 0; bucket && longest > 1 && i < hashes.length; i++)
      for (let j = i + 1, hash = hashes[i]; j < Math.min(hashes.length, i + longest); j++) {
        hash = BigInt.asUintN(64, hash * MULTIPLIER + hashes[j]);
        buckets.push(Number(hash % BigInt(bucket)));
      }
    return [...rows.flat(), ...await this._bucketRows(buckets)];
  }
}
