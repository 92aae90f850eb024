// Colors of clusters, equally light, for a light and a dark page.

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** Return sRGB from 0 to 255 for OKLCH (Ottosson, "A perceptual color space", 2020). */
function rgb(lightness, chroma, hue) {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => {
    const part = Math.min(1, Math.max(0, linear));
    const shown = part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055;
    return Math.round(255 * shown);
  });
}

/** Return the color of a cluster; the golden angle keeps hues of successive ones apart. */
function clusterColor(cluster) {
  const dark = darkScheme.matches;
  if (cluster >= clusters.length) {
    if (clusters.length) return dark ? [106, 112, 118] : [168, 173, 178];
    return dark ? [138, 180, 248] : [11, 87, 208];
  }
  const step = (cluster % 3) * 0.06;
  return rgb(dark ? 0.8 - step : 0.52 + step, 0.125, 2.39996 * cluster + 0.5);
}

const css = ([red, green, blue], alpha = 1) => `rgb(${red} ${green} ${blue} / ${alpha})`;

/** Return the value of a variable of the style sheet. */
const styled = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Return red, green, blue and alpha of all words, in bytes; words outside `lit` are faint. */
function wordColors(lit) {
  const palette = [...clusters.keys(), clusters.length].map(clusterColor);
  const colors = new Uint8Array(4 * count);
  for (let i = 0; i < count; i++) {
    const shown = lit === null || clusterOf[i] === lit;
    colors.set(palette[clusterOf[i]] ?? palette[clusters.length], 4 * i);
    colors[4 * i + 3] = !shown ? 28 : inCluster(i) || !clusters.length ? 215 : 150;
  }
  return colors;
}
