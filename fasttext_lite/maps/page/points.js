// The points, by WebGL 2, or by a plain canvas where there is none.

const VERTEX = `#version 300 es
layout(location = 0) in vec2 place;
layout(location = 1) in vec4 color;
uniform vec4 view;
uniform float size;
out vec4 shade;
void main() {
  vec2 at = (place - view.xy) * view.zw;
  gl_Position = vec4(at.x, -at.y, 0.0, 1.0);
  gl_PointSize = size;
  shade = color;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform float size;
in vec4 shade;
out vec4 result;
void main() {
  float away = length(gl_PointCoord - 0.5) * size;
  float alpha = shade.a * clamp(size * 0.5 - away + 0.25, 0.0, 1.0);
  if (alpha <= 0.0) discard;
  result = vec4(shade.rgb * alpha, alpha);
}`;

// Up to so many points are drawn as shapes.
const FEW = 2000;

/** Points drawn by the graphics processor. */
class ShadedPoints {
  constructor(gl) {
    this.gl = gl;
    this.canvas = gl.canvas;
    this.kind = "webgl";
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error("WebGL cannot draw");
    gl.useProgram(program);
    this.view = gl.getUniformLocation(program, "view");
    this.size = gl.getUniformLocation(program, "size");
    // The last point is on top: frequent words come last.
    const turned = new Uint16Array(2 * count);
    for (let i = 0; i < count; i++) {
      turned[2 * (count - 1 - i)] = places[2 * i];
      turned[2 * (count - 1 - i) + 1] = places[2 * i + 1];
    }
    this.fill(0, turned, 2, gl.UNSIGNED_SHORT);
    this.colors = gl.createBuffer();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  fill(location, values, parts, type, buffer = this.gl.createBuffer()) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, parts, type, true, 0, 0);
  }

  color(colors) {
    const pixels = new Uint32Array(colors.slice().buffer).reverse();
    this.fill(1, new Uint8Array(pixels.buffer), 4, this.gl.UNSIGNED_BYTE, this.colors);
  }

  draw(view, radius, ratio) {
    const { gl } = this;
    const { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const scale = 2 * view.scale * ratio;
    const [x, y] = view.placeAt(view.width / 2, view.height / 2);
    gl.uniform4f(this.view, x, y, scale / width, scale / height);
    gl.uniform1f(this.size, 2 * radius * ratio);
    gl.drawArrays(gl.POINTS, 0, count);
  }
}

/** Points drawn by the processor: many as pixels, few as circles. */
class PlainPoints {
  constructor(context) {
    this.context = context;
    this.canvas = context.canvas;
    this.kind = "plain";
  }

  color(colors) {
    this.colors = colors;
    this.pixels = new Uint32Array(colors.slice().buffer);
  }

  draw(view, radius, ratio) {
    const { context } = this;
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    const scale = view.scale * ratio;
    const half = radius * ratio;
    const [left, top] = [view.left(0) * ratio, view.top(0) * ratio];
    const seen = [];
    for (let i = count - 1; i >= 0; i--) {
      const x = left + placeX(i) * scale;
      const y = top + placeY(i) * scale;
      if (x > -half && y > -half && x < width + half && y < height + half) seen.push(i, x, y);
    }
    if (seen.length > 3 * FEW) return this.stamp(seen, half);
    for (let s = 0; s < seen.length; s += 3) {
      const [red, green, blue, alpha] = this.colors.subarray(4 * seen[s], 4 * seen[s] + 4);
      context.fillStyle = css([red, green, blue], alpha / 255);
      context.beginPath();
      context.arc(seen[s + 1], seen[s + 2], half, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** Set the pixels of points: canvases are slow at drawing tens of thousands of shapes. */
  stamp(seen, half) {
    const { width, height } = this.canvas;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = this.context.createImageData(width, height);
      this.target = new Uint32Array(this.image.data.buffer);
    }
    const { target, pixels } = this;
    target.fill(0);
    for (let s = 0; s < seen.length; s += 3) {
      const [x, y] = [seen[s + 1], seen[s + 2]];
      for (let row = Math.max(0, Math.round(y - half)); row < Math.min(height, y + half); row++) {
        const wide = Math.sqrt(Math.max(0, half * half - (row + 0.5 - y) ** 2)) || half;
        const first = Math.max(0, Math.round(x - wide));
        const end = Math.min(width, Math.round(x + wide));
        target.fill(pixels[seen[s]], row * width + first, row * width + Math.max(first, end));
      }
    }
    this.context.putImageData(this.image, 0, 0);
  }
}

/** Whether the processor stands in for a graphics processor, which is slower than a plain canvas. */
function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return Boolean(info) && /swiftshader|llvmpipe|software/i.test(gl.getParameter(info.UNMASKED_RENDERER_WEBGL));
}

/** Return what draws the points; `?webgl` and `?plain` in the address choose. */
function pointsOn(canvas) {
  if (location.search !== "?plain") {
    try {
      const gl = document.createElement("canvas").getContext("webgl2");
      if (gl && (location.search === "?webgl" || !isSoftware(gl)))
        return new ShadedPoints(canvas.getContext("webgl2", { antialias: false }));
    } catch {
      // A canvas that was once asked for WebGL has no plain context.
      const fresh = canvas.cloneNode();
      canvas.replaceWith(fresh);
      canvas = fresh;
    }
  }
  return new PlainPoints(canvas.getContext("2d"));
}
