// @ts-check
/**
 * `npm run bench:loss -- --data rows.jsonl`: how long this engine takes to the held-out loss that TRL's SFTTrainer reaches
 * in some steps. Both train LoRA of rank 16 on the same rows of the same model; both adapters are measured by
 * `tuning-fork eval` on the same held-out rows. The machine should have nothing else to do.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from '../installPackages.mjs';
import { installRealModel } from '../models.mjs';
import { root } from '../paths.mjs';
import { installPython } from '../python.mjs';
import { forwardSignals, requireCommand } from '../runCommand.mjs';
import { runTuningFork } from '../tuningForkCommand.mjs';
import { takeEvenly } from './benchQuality.mjs';
import { readShortRows } from './benchRows.mjs';
import { formatColumns } from './benchTable.mjs';

const { values } = parseArgs({
  options: {
    /** JSON lines of question and answer. */
    data: { type: 'string' },
    /** Optimizer steps of TRL, 8 rows each. */
    steps: { type: 'string', default: '40' },
    /** Of ours, 4 contexts of 256 tokens each, with a held-out loss after every fifth. */
    own: { type: 'string', default: '60' },
  },
});
const rowCount = 1000;
/** TRL's default, and the rate that this engine has as its own. */
const learningRates = ['default', '2e-4'];

forwardSignals();
if (values.data === undefined) {
  console.error('usage: npm run bench:loss -- --data rows.jsonl [--steps 40] [--own 60]');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await installPackages();
await requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root });
const model = await installRealModel();
const python = await installPython();
const env = { ...process.env, TUNING_FORK_STATE: join(folder, 'state') };

const rows = join(folder, 'rows.jsonl');
writeFileSync(rows, `${takeEvenly(readShortRows(values.data), rowCount).join('\n')}\n`);
const settings = { contextTokens: 256, batchRows: 4, maxSteps: Number(values.own), evalEverySteps: 5 };
const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
/** @type {{ path: string }} */
const run = await runTuningFork(['train', rows, '--model', model, '--runs', join(folder, 'runs'), ...set], {
  env,
  onLine: () => undefined,
});
const curve = readLines(join(run.path, 'metrics.jsonl')).filter(({ kind }) => kind === 'evaluation');
const training = writeTrainingRows();

const table = { header: ['TRL, learning rate', 'seconds', 'held-out loss', 'ours, seconds', 'times faster'], rows: [] };
for (const learningRate of learningRates) {
  const adapter = join(folder, `trl-${learningRate}`);
  mkdirSync(adapter);
  const command = [python, join(root, 'test/bench/sft.py'), model, training, adapter, values.steps, learningRate];
  const output = await requireCommand(command, { cwd: folder, limitMs: 60 * 60_000 });
  const { seconds, learningRate: used } = JSON.parse(output.split('\n').findLast(text => text.startsWith('{')) ?? '');
  const reached = await measureAdapter(adapter);
  const first = curve.find(({ step, evalLossNats }) => step > 0 && evalLossNats <= reached);
  const own = first === undefined ? undefined : first.elapsedMs / 1000;
  /** @type {string[][]} */ (table.rows).push([
    String(used),
    seconds.toFixed(0),
    reached.toFixed(4),
    own === undefined ? `not within ${values.own} steps` : `${own.toFixed(0)} (step ${first.step})`,
    own === undefined ? '' : (seconds / own).toFixed(1),
  ]);
}
console.log(`\n${formatColumns(table)}`);
console.log(`\nOurs: ${curve.map(({ step, evalLossNats }) => `${step}: ${evalLossNats.toFixed(4)}`).join(', ')}`);

/** @param {string} file */
function readLines(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
}

/** The rows that our run trained on, as TRL reads them. */
function writeTrainingRows() {
  const datasets = join(folder, 'runs/datasets');
  const snapshot = join(datasets, /** @type {string} */ (readdirSync(datasets).find(name => !name.startsWith('.'))));
  const split = JSON.parse(readFileSync(join(snapshot, 'split.json'), 'utf8'));
  const messages = readLines(join(snapshot, 'examples.jsonl'))
    .filter(({ row }) => split.rows[row] === 'train')
    .map(({ messages }) => JSON.stringify({ messages }));
  const file = join(folder, 'training.jsonl');
  writeFileSync(file, `${messages.join('\n')}\n`);
  return file;
}

/** @param {string} adapter */
async function measureAdapter(adapter) {
  let loss = Number.NaN;
  await runTuningFork(['eval', '--model', model, '--adapter', adapter, '--run', run.path, '--split', 'heldOut'], {
    env,
    onLine: line => {
      if (line.type === 'evaluation' && line.adapter !== undefined) loss = Number(line.evalLossNats);
    },
  });
  return loss;
}
