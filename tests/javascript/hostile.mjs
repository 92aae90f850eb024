// Change a file in many ways: each is refused by an error of the reader, or gives answers.
// node hostile.mjs MODULE FILE SEED COUNT
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [, , module, path, seed, count] = process.argv;
const { open } = await import(pathToFileURL(module).href);
const original = new Uint8Array(await readFile(path));
const outcomes = { refused: 0, answered: 0, faults: [] };
let state = Number(seed) + 1;
/** A whole number below a limit, by xorshift. */
function random(limit) {
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
  return (state >>> 0) % limit;
}
const start = 8 + new DataView(original.buffer, original.byteOffset).getUint32(0, true);
for (let i = 0; i < Number(count); i++) {
  let data = original.slice();
  const kind = random(4);
  if (kind === 0) data = data.slice(0, random(data.length));
  else for (let n = 1 + random(4); n > 0; n--) {
    const at = kind === 1 ? random(start) : start + random(data.length - start);
    if (kind === 3) data.set([255, 255, 255, 255].map(() => random(2) * 255), Math.min(at, data.length - 4));
    else data[at] ^= 1 << random(8);
  }
  try {
    const model = await open(random(2) ? data : new Blob([data]));
    await model.vectors(["one", "unknown", "", "</s>", "__label__a"]);
    if (model.info.model === "supervised") await model.predict("one two unknown", { k: -1 });
    else await model.neighbors("one");
    outcomes.answered++;
  } catch (error) {
    if (["FormatError", "UnknownWordError"].includes(error.name)) outcomes.refused++;
    else if (outcomes.faults.length < 5) outcomes.faults.push(`${i}: ${error.stack}`);
  }
}
console.log(JSON.stringify(outcomes));
