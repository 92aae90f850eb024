// Ask a file of an address for vectors, and print what they and the requests are.
// node ranges.mjs MODULE ADDRESS WORD ...
import { pathToFileURL } from "node:url";

const [, , module, address, ...words] = process.argv;
const { open } = await import(pathToFileURL(module).href);
try {
  const model = await open(address);
  const opened = { ...model.traffic };
  const vectors = await model.vectors(words);
  const hex = vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("hex"));
  console.log(JSON.stringify({ vectors: hex, opened, traffic: model.traffic }));
} catch (error) {
  console.log(JSON.stringify({ error: `${error.name}: ${error.message}` }));
}
