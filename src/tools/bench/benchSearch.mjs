// @ts-check
/**
 * `npm run bench:search -- --data rows.jsonl`: does a search by TPE find a held-out loss as low as the best of a grid of
 * as many points? Every trial of both has the same rows, steps and seed. What was measured is kept under `.cache/`: a
 * benchmark that was interrupted goes on when it is started again with the same options. Losses do not depend on what else
 * the machine does.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from '../installPackages.mjs';
import { installRealModel } from '../models.mjs';
import { cacheFolder, root } from '../paths.mjs';
import { forwardSignals, requireCommand } from '../runCommand.mjs';
import { runTuningFork } from '../tuningForkCommand.mjs';
import { takeEvenly } from './benchQuality.mjs';
import { readShortRows } from './benchRows.mjs';
import { formatColumns, formatMarkdown } from './benchTable.mjs';
import { findLowest, makeGrid, printSpace, rangesAround, searchTable } from './searchGrid.mjs';

/** @typedef {import('./searchGrid.mjs').Tried} Tried */
/** @typedef {import('./searchGrid.mjs').Settings} Settings */

const { values } = parseArgs({
  options: {
    /** JSON lines of question and answer. */
    data: { type: 'string' },
    /** Default: SmolLM2-135M-Instruct. */
    model: { type: 'string' },
    rows: { type: 'string', default: '500' },
    /** Of the search, and points of the grid. */
    trials: { type: 'string', default: '12' },
    /** Optimizer steps of each. */
    steps: { type: 'string', default: '24' },
    /** Of 256 tokens, in a step. */
    contexts: { type: 'string', default: '4' },
    /** In the middle of the range; default what the form suggests for SmolLM2-135M. */
    'learning-rate': { type: 'string', default: '0.0013' },
    threads: { type: 'string', default: '2' },
    /** Of the sampler. */
    seed: { type: 'string', default: '42' },
    /** Forgets what was measured with the same options. */
    again: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
  },
});

forwardSignals();
if (values.data === undefined) {
  console.error(
    'usage: npm run bench:search -- --data rows.jsonl [--model M] [--rows 500] [--trials 12] [--steps 24] [--contexts 4] [--seed 42]',
  );
  process.exit(2);
}
await installPackages();
await requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root });
const model = values.model ?? (await installRealModel());
const trials = Number(values.trials);
const ranges = rangesAround(Number(values['learning-rate']));

const lines = takeEvenly(readShortRows(values.data), Number(values.rows)).join('\n');
const { again: _again, markdown: _markdown, threads: _threads, data: _data, ...measured } = values;
const key = createHash('sha256')
  .update(JSON.stringify({ ...measured, model, lines }))
  .digest('hex')
  .slice(0, 12);
const folder = join(cacheFolder, 'bench-search', key);
if (values.again) rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const rows = join(folder, 'rows.jsonl');
writeFileSync(rows, `${lines}\n`);
const env = { ...process.env, TUNING_FORK_STATE: join(folder, 'state') };
const store = join(folder, 'runs');
/** @type {Settings} */
const common = {
  contextTokens: 256,
  batchRows: values.contexts,
  maxSteps: values.steps,
  evalEverySteps: values.steps,
  // As a search keeps them aside.
  testRatio: 0.1,
  threads: values.threads,
};

const gridFile = join(folder, 'grid.json');
/** @type {(Tried & { path: string, elapsedMs: number })[]} */
const grid = existsSync(gridFile) ? JSON.parse(readFileSync(gridFile, 'utf8')) : [];
await sayForecast();
for (const settings of makeGrid(ranges, trials).slice(grid.length)) {
  const startedMs = performance.now();
  /** @type {{ path: string, bestEvalLossNats: number }} */
  const run = await runTuningFork(
    ['train', rows, '--model', model, '--runs', store, ...printSettings({ ...common, ...settings })],
    { env, onLine: () => undefined },
  );
  const elapsedMs = performance.now() - startedMs;
  grid.push({ settings, heldOutLossNats: run.bestEvalLossNats, path: run.path, elapsedMs });
  writeFileSync(gridFile, JSON.stringify(grid));
  sayTime(`grid ${grid.length}/${trials}: ${describe(settings)}, held-out loss ${run.bestEvalLossNats.toFixed(4)}`);
}
const { path, judged } = await search();
const study = readStudy(path);
const byGrid = findLowest(grid);
const bySearch = findLowest(study);
if (byGrid === undefined || bySearch === undefined) throw new Error('expected a trial that was measured, got none');
const gridTestLossNats = await measureTestLoss(/** @type {(typeof grid)[number]} */ (grid[byGrid.index]).path);

const table = searchTable(grid, study);
console.log(`\n${values.markdown ? formatMarkdown(table) : formatColumns(table)}`);
console.log(`\nHeld-out loss of the base model: ${readBaseLoss().toFixed(4)} nats.`);
console.log(
  `Best of the grid: ${byGrid.lossNats.toFixed(4)} (test rows: ${gridTestLossNats.toFixed(4)}); of the search: ${bySearch.lossNats.toFixed(4)} (test rows: ${judged.testLossNats.toFixed(4)}).`,
);
const firstAsGood = study.findIndex(
  ({ heldOutLossNats }) => heldOutLossNats !== null && heldOutLossNats <= byGrid.lossNats,
);
console.log(
  firstAsGood < 0
    ? 'The search did not find what the grid found.'
    : `The search was as good as the whole grid from trial ${firstAsGood} on.`,
);
if (firstAsGood < 0) process.exitCode = 1;

/** Starts the search, or goes on with it. */
async function search() {
  const known = findSearch();
  const args =
    known === undefined
      ? [
          ...['search', rows, '--model', model, '--runs', store, '--name', 'bench', '--trials', String(trials)],
          ...['--sampler', 'tpe', '--pruner', 'none', '--parallel', '1', '--search-seed', values.seed],
          ...printSpace(ranges).flatMap(range => ['--space', range]),
          ...printSettings({ ...common, learningRate: values['learning-rate'] }),
        ]
      : ['resume', known];
  const resultFile = join(folder, 'search.json');
  if (known !== undefined && existsSync(resultFile)) {
    return { path: known, judged: JSON.parse(readFileSync(resultFile, 'utf8')) };
  }
  let folderOfSearch = known ?? '';
  /** @type {{ testLossNats: number }} */
  const result = await runTuningFork(args, {
    env,
    onLine: line => {
      if (line.type === 'run') folderOfSearch = line.path;
      if (line.type !== 'trial' || line.value === null) return;
      sayTime(
        `search ${line.number + 1}/${trials}: ${describe(line.settings)}, held-out loss ${line.value.toFixed(4)}`,
        line.number + 1,
      );
    },
  });
  writeFileSync(resultFile, JSON.stringify(result));
  return { path: folderOfSearch, judged: result };
}

function findSearch() {
  const runs = join(store, 'runs');
  for (const id of existsSync(runs) ? readdirSync(runs) : []) {
    const file = join(runs, id, 'run.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).kind === 'search') return join(runs, id);
  }
  return undefined;
}

/** @param {string} run @returns {Tried[]} */
function readStudy(run) {
  /** @type {{ trials: { settings: Settings, value: number | null }[] }} */
  const { trials: tried } = JSON.parse(readFileSync(join(run, 'study.json'), 'utf8'));
  return tried.map(({ settings, value }) => ({ settings, heldOutLossNats: value }));
}

function readBaseLoss() {
  const first = readFileSync(join(/** @type {(typeof grid)[number]} */ (grid[0]).path, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
    .find(({ kind, step }) => kind === 'evaluation' && step === 0);
  return first.evalLossNats;
}

/** @param {string} run */
async function measureTestLoss(run) {
  let loss = Number.NaN;
  await runTuningFork(['eval', '--model', model, '--adapter', run, '--run', run, '--split', 'test'], {
    env,
    onLine: line => {
      if (line.type === 'evaluation' && line.adapter !== undefined) loss = line.evalLossNats;
    },
  });
  return loss;
}

async function sayForecast() {
  if (grid.length > 0) return sayTime('going on with what was measured before');
  /** @type {{ trainingMs: number | null }} */
  const { trainingMs } = await runTuningFork(['forecast', rows, '--model', model, ...printSettings(common)], {
    env,
    onLine: () => undefined,
  });
  if (trainingMs === null) return;
  console.error(`${2 * trials} runs of about ${minutes(trainingMs)}: ${minutes(2 * trials * trainingMs)} in all`);
}

/** @param {string} text @param {number} [searched] trials of the search that are done */
function sayTime(text, searched = 0) {
  const meanMs = grid.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) / Math.max(1, grid.length);
  const left = 2 * trials - grid.length - searched;
  console.error(`${text}; about ${minutes(left * meanMs)} left`);
}

/** @param {Settings} settings */
function printSettings(settings) {
  return Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
}

/** @param {Settings} settings */
function describe({ learningRate, rank }) {
  return `learning rate ${Number(learningRate).toExponential(2)}, rank ${rank}`;
}

/** @param {number} ms */
function minutes(ms) {
  return `${(ms / 60_000).toFixed(1)} min`;
}
