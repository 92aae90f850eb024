// Ask a reader in JavaScript what Python asked ours, and print each answer that differs.
// node answers.mjs MODULE QUESTIONS.json
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [, , module, questions] = process.argv;
const { open } = await import(pathToFileURL(module).href);
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("hex");
const differing = [];
let asked = 0;

async function answers(model, question) {
  const { vectors, predictions, neighbors } = question;
  const words = vectors.map(([word]) => bytes(word));
  const found = (await Promise.allSettled(words.map((word) => model.vector(word)))).map(
    ({ value, reason }) => value ? hex(value) : reason.name);
  vectors.forEach(([word, expected], i) => compare(question, `vector ${word}`, found[i], expected));
  for (const [text, expected] of predictions) {
    const got = await model.predict(text, { k: -1 });
    const close = got.length === expected.length
      && expected.every(([, p], i) => Math.abs(p - got[i].probability) <= 1e-6);
    // Of labels that are as likely any may be the first.
    const names = (list) => list.map(([label, p], i) => list.some(
      ([, q], j) => i !== j && Math.abs(p - q) <= 1e-6) ? `${label} or another` : label);
    const pairs = got.map(({ label, probability }) => [label, probability]);
    const same = String(expected.map(([x]) => x).sort()) === String(pairs.map(([x]) => x).sort());
    const order = names(expected).every((name, i) => name.endsWith(" or another") || name === pairs[i]?.[0]);
    compare(question, `prediction ${text}`, close && same && order, true, [pairs, expected]);
  }
  for (const [word, expected] of neighbors) {
    const got = await model.neighbors(word, { k: expected.length });
    const close = got.length === expected.length && expected.every(
      ([name, cosine], i) => Math.abs(cosine - got[i].score) <= 1e-6);
    compare(question, `neighbors of ${word}`, close, true, [got, expected]);
  }
}

function compare({ file }, what, found, expected, more = [found, expected]) {
  asked++;
  if (found !== expected) differing.push({ file, what, more });
}

for (const question of JSON.parse(await readFile(questions, "utf8"))) {
  const data = await readFile(question.file);
  await answers(await open(question.ranges ? new Blob([data]) : data), question);
}
console.log(JSON.stringify({ asked, differing: differing.slice(0, 5) }));
