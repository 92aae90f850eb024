// Which part of the map is shown, and how it moves.

const stillMotion = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * A part of the map: the place at its centre, and the pixels of a side of the whole map. The centre
 * is that of the part of the window that the panel leaves.
 */
class View {
  constructor(changed) {
    this.changed = changed;
    this.width = this.height = this.fit = this.scale = 1;
    this.x = this.y = 0.5;
    this.middle = [0, 0];
    this.free = 1;
  }

  left(x) { return (x - this.x) * this.scale + this.middle[0]; }
  top(y) { return (y - this.y) * this.scale + this.middle[1]; }
  placeAt(left, top) {
    return [(left - this.middle[0]) / this.scale + this.x, (top - this.middle[1]) / this.scale + this.y];
  }
  get zoom() { return this.scale / this.fit; }

  /** Take the size of the window, of which the panel covers some pixels on the right or below. */
  resize(width, height, right, below) {
    const zoom = this.zoom;
    const [wide, high] = [Math.max(80, width - right), Math.max(80, height - below)];
    Object.assign(this, { width, height, middle: [wide / 2, high / 2], free: Math.min(wide, high) });
    this.fit = 0.92 * Math.min(wide / Math.max(held.extent[0], 0.05), high / Math.max(held.extent[1], 0.05));
    this.scale = zoom * this.fit;
    this.changed();
  }

  /** Show a place at a scale, at once. */
  show(x, y, scale) {
    this.scale = Math.min(this.fit * held.deepest, Math.max(this.fit * 0.5, scale));
    this.x = Math.min(1, Math.max(0, x));
    this.y = Math.min(1, Math.max(0, y));
    this.changed();
  }

  pan(right, down) {
    this.stop();
    this.show(this.x - right / this.scale, this.y - down / this.scale, this.scale);
  }

  /** Zoom so that what is at a point of the window stays there. */
  zoomAt(factor, [left, top] = this.middle) {
    this.stop();
    const [x, y] = this.placeAt(left, top);
    this.show(this.x, this.y, this.scale * factor);
    const [newX, newY] = this.placeAt(left, top);
    this.show(this.x + x - newX, this.y + y - newY, this.scale);
  }

  all() { this.fly(held.center[0], held.center[1], this.fit); }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  /** Fly to a place (van Wijk and Nuij, "Smooth and efficient zooming and panning", 2003). */
  fly(x, y, scale) {
    this.stop();
    if (stillMotion.matches) return this.show(x, y, scale);
    const [fromX, fromY] = [this.x, this.y];
    const wide = this.width / this.scale;
    const end = this.width / scale;
    const away = Math.hypot(x - fromX, y - fromY);
    const rho = 1.4;
    let length, at;
    if (away < 1e-6) {
      length = Math.abs(Math.log(end / wide)) / rho;
      at = (s) => [0, wide * Math.exp(Math.sign(end - wide) * rho * s)];
    } else {
      const square = rho ** 4 * away * away;
      const b0 = (end * end - wide * wide + square) / (2 * wide * rho * rho * away);
      const b1 = (end * end - wide * wide - square) / (2 * end * rho * rho * away);
      const r0 = Math.asinh(-b0);
      length = (Math.asinh(-b1) - r0) / rho;
      at = (s) => [
        ((wide / (rho * rho)) * (Math.cosh(r0) * Math.tanh(rho * s + r0) - Math.sinh(r0))) / away,
        (wide * Math.cosh(r0)) / Math.cosh(rho * s + r0),
      ];
    }
    const lasts = Math.min(1600, Math.max(250, 420 * length));
    let began;
    const step = (now) => {
      began ??= now;
      const part = Math.min(1, (now - began) / lasts);
      if (part === 1) {
        this.frame = 0;
        return this.show(x, y, scale);
      }
      const eased = part * part * (3 - 2 * part);
      const [share, span] = at(eased * length);
      this.show(fromX + (x - fromX) * share, fromY + (y - fromY) * share, this.width / span);
      this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }
}
