// The names on the map: as many as have room, those of large clusters and frequent words first.

const FONT = 12;
const CELL = 6;
const LONGEST = 40;
// Names that are tried for each that has room, at most.
const TRIES = 15;

const shortened = (text) => {
  const line = text.replace(/\s+/g, " ");
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1).trimEnd()}…` : line;
};

/** Where names are drawn already, in cells of some pixels. */
class Occupied {
  constructor(width, height) {
    this.columns = Math.ceil(width / CELL) + 1;
    this.rows = Math.ceil(height / CELL) + 1;
    this.cells = new Uint8Array(this.columns * this.rows);
  }

  /** Mark a rectangle, unless a part of it is marked. */
  take(left, top, width, height) {
    const first = Math.max(0, Math.floor(left / CELL));
    const last = Math.min(this.columns - 1, Math.floor((left + width) / CELL));
    const upper = Math.max(0, Math.floor(top / CELL));
    const lower = Math.min(this.rows - 1, Math.floor((top + height) / CELL));
    for (let row = upper; row <= lower; row++)
      for (let column = first; column <= last; column++)
        if (this.cells[row * this.columns + column]) return false;
    for (let row = upper; row <= lower; row++)
      this.cells.fill(1, row * this.columns + first, row * this.columns + last + 1);
    return true;
  }
}

class Names {
  constructor(canvas) {
    this.context = canvas.getContext("2d");
    this.widths = new Map();
  }

  /** Begin a frame: an empty canvas on which nothing is occupied. */
  begin(width, height, ratio) {
    const { context } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    this.width = width;
    this.height = height;
    this.occupied = new Occupied(width, height);
    this.family = styled("--font");
    this.back = styled("--back");
    this.front = styled("--front");
    this.drawn = [];
    this.boxes = [];
    this.titles = new Set();
  }

  measured(text, font) {
    const key = `${font}\n${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.context.font = font;
      width = this.context.measureText(text).width;
      this.widths.set(key, width);
    }
    return width;
  }

  /** Write a name where there is room for it; `always` writes it anyway. */
  write(text, x, y, { size = FONT, weight = 400, color = this.front, offset = 0, space = 3, always = false } = {}) {
    const shown = shortened(text);
    const font = `${weight} ${size}px ${this.family}`;
    const width = this.measured(shown, font);
    let left = offset ? x + offset : x - width / 2;
    // Beside the right edge a name stands on the left of its point.
    if (offset && left + width > this.width - 4) left = x - offset - width;
    const free = this.occupied.take(left - space, y - size * 0.65 - space / 2, width + 2 * space, size * 1.3 + space);
    if (!free && !always) return false;
    const { context } = this;
    context.font = font;
    context.lineWidth = 3.5;
    context.strokeStyle = this.back;
    context.strokeText(shown, left, y);
    context.fillStyle = color;
    context.fillText(shown, left, y);
    this.drawn.push(text);
    this.boxes.push([left, y - size / 2, left + width, y + size / 2]);
    return true;
  }

  /** Write names of clusters that are neither tiny nor all over the view. */
  clusters(view, lit) {
    let room = Math.max(4, Math.floor((this.width * this.height) / 22000));
    for (let c = 0; c < clusters.length && room; c++) {
      const { name, anchor, spread, size } = clusters[c];
      if (lit !== null && lit !== c) continue;
      const radius = spread * view.scale;
      if (radius < 14 || (radius > Math.max(this.width, this.height) && lit === null)) continue;
      const x = view.left(placeX(anchor));
      const y = view.top(placeY(anchor));
      if (x < 0 || y < 0 || x > this.width || y > this.height) continue;
      const large = Math.min(20, 13 + Math.log10(1 + size) * 1.5);
      if (this.write(name, x, y, { size: large, weight: 650, color: css(clusterColor(c)), space: 8 })) {
        this.titles.add(name);
        room--;
      }
    }
  }

  /** Write as many words as have room. */
  words(view, radius, lit) {
    let room = Math.floor((this.width * this.height) / 7000);
    let tries = TRIES * room;
    for (let i = 0; i < count && room && tries; i++) {
      if (lit !== null && clusterOf[i] !== lit) continue;
      const x = view.left(placeX(i));
      const y = view.top(placeY(i));
      if (x < -50 || y < 0 || x > this.width || y > this.height) continue;
      // The name of the cluster stands there already.
      if (this.titles.has(words[i])) continue;
      tries--;
      if (this.write(words[i], x, y, { offset: radius + 3 })) room--;
    }
  }
}
