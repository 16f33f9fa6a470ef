// @ts-check
/**
 * `npm run bench:big`: the memory and speed of LoRA on models of 1.1, 3 and 7 billion weights, held in 4 bit and run layer
 * by layer at context 512. The weights are random and made where they are read: nothing is downloaded, nothing lies on
 * the disk. Each model has a process of its own, one after another.
 */
import { writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from '../installPackages.mjs';
import { root } from '../paths.mjs';
import { forwardSignals, requireCommand } from '../runCommand.mjs';
import { formatColumns } from './benchTable.mjs';

/** What each may need at most, in GiB. */
const targets = { 'TinyLlama-1.1B': 2, 'Llama-3.2-3B': 4.5, 'Llama-2-7B': 8 };
const contextTokens = 512;

/** @typedef {{ model: string, shape: string, stepMs: number[], losses: number[], peakRssBytes: number, forecastBytes: number }} Measurement */

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(targets).join(',') },
    shape: { type: 'string', default: 'layered' },
    steps: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
});

forwardSignals();
await installPackages();
await requireCommand([process.execPath, 'esbuild.mjs', '--bench'], { cwd: root });
/** @type {Measurement[]} */
const measured = [];
for (const [model, gigabytes] of Object.entries(targets)) {
  if (!values.only.split(',').includes(model)) continue;
  const free = freemem() / 2 ** 30;
  if (free < gigabytes) console.error(`${model}: expected ${gigabytes} GiB of free memory, got ${free.toFixed(1)}.`);
  const program = join(root, '.cache/bench/big.js');
  const command = [process.execPath, program, model, values.shape, values.steps, values.threads];
  const output = await requireCommand(command, { cwd: root, limitMs: 60 * 60_000 });
  const line = output.split('\n').findLast(text => text.startsWith('{'));
  if (line === undefined) throw new Error(`${command.join(' ')} printed no measurement`);
  measured.push(JSON.parse(line));
}
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(measured, null, 2)}\n`);
console.log(formatColumns(makeTable()));

function makeTable() {
  const header = ['Dimensions of', 'peak GiB', 'target GiB', 'met', 'forecast GiB', 'tokens/s'];
  const toGigabytes = (/** @type {number} */ bytes) => bytes / 2 ** 30;
  const rows = measured.map(({ model, peakRssBytes, forecastBytes, stepMs }) => {
    const target = targets[/** @type {keyof typeof targets} */ (model)];
    const peak = toGigabytes(peakRssBytes);
    // The first step compiles nothing but touches all memory for the first time.
    const timed = stepMs.length > 1 ? stepMs.slice(1) : stepMs;
    const tokensPerSecond = (contextTokens * timed.length * 1000) / timed.reduce((sum, ms) => sum + ms, 0);
    const met = peak <= target ? 'yes' : 'no';
    return [
      model,
      peak.toFixed(2),
      String(target),
      met,
      toGigabytes(forecastBytes).toFixed(2),
      tokensPerSecond.toFixed(1),
    ];
  });
  return { header, rows };
}
