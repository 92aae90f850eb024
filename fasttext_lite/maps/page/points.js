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
precision mediump float;
uniform float size;
in vec4 shade;
out vec4 result;
void main() {
  float away = length(gl_PointCoord - 0.5) * size;
  float alpha = shade.a * clamp(size * 0.5 - away + 0.25, 0.0, 1.0);
  if (alpha <= 0.0) discard;
  result = vec4(shade.rgb * alpha, alpha);
}`;

/** Points drawn by the graphics processor. */
class ShadedPoints {
  constructor(gl) {
    this.gl = gl;
    this.canvas = gl.canvas;
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

/** Points drawn color by color. */
class PlainPoints {
  constructor(context) {
    this.context = context;
    this.canvas = context.canvas;
  }

  color(colors) {
    const groups = new Map();
    for (let i = count - 1; i >= 0; i--) {
      const [red, green, blue, alpha] = colors.subarray(4 * i, 4 * i + 4);
      const color = css([red, green, blue], (alpha / 255).toFixed(3));
      if (!groups.has(color)) groups.set(color, []);
      groups.get(color).push(i);
    }
    this.groups = groups;
  }

  draw(view, radius, ratio) {
    const { context } = this;
    const { width, height } = context.canvas;
    context.clearRect(0, 0, width, height);
    const scale = view.scale * ratio;
    const half = radius * ratio;
    const left = view.left(0) * ratio;
    const top = view.top(0) * ratio;
    // Circles take longer, and small ones look like squares.
    const round = half > 2;
    for (const [color, members] of this.groups) {
      context.fillStyle = color;
      context.beginPath();
      for (const i of members) {
        const x = left + placeX(i) * scale;
        const y = top + placeY(i) * scale;
        if (x < -half || y < -half || x > width + half || y > height + half) continue;
        if (round) {
          context.moveTo(x + half, y);
          context.arc(x, y, half, 0, 2 * Math.PI);
        } else context.rect(x - half, y - half, 2 * half, 2 * half);
      }
      context.fill();
    }
  }
}

/** Return what draws the points. A canvas that was once asked for WebGL has no plain context. */
function pointsOn(canvas) {
  try {
    const gl = canvas.getContext("webgl2", { antialias: false });
    if (gl) return new ShadedPoints(gl);
  } catch {
    const fresh = canvas.cloneNode();
    canvas.replaceWith(fresh);
    canvas = fresh;
  }
  return new PlainPoints(canvas.getContext("2d"));
}
