// @ts-check
/**
 * `npm run bench:forecast`: what the forecast says of peak memory and time beside what runs of the same settings then take,
 * on a grid of settings. Ends with an error where memory is off by more than 10 % or time by more than 20 %. The machine
 * should have nothing else to do, unless `--memory` leaves the time out.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from '../installPackages.mjs';
import { installRealModel } from '../models.mjs';
import { root } from '../paths.mjs';
import { installPython } from '../python.mjs';
import { forwardSignals, requireCommand } from '../runCommand.mjs';
import { runTuningFork } from '../tuningForkCommand.mjs';
import { formatColumns } from './benchTable.mjs';
import {
  compareForecast,
  forecastGrid,
  forecastTable,
  isWithin,
  pytorchGrid,
  writeForecastRows,
} from './forecastGrid.mjs';

/** @typedef {import('./forecastGrid.mjs').GridPoint} GridPoint */
/** @typedef {import('./forecastGrid.mjs').ForecastComparison} ForecastComparison */

const { values } = parseArgs({
  options: {
    /** Measures memory alone, with fewer steps: right on a busy machine too. */
    memory: { type: 'boolean', default: false },
    /** Numbers of grid points, as the table has them. */
    only: { type: 'string' },
    threads: { type: 'string', default: '2' },
    /** The PyTorch engine's memory, on this machine's processor. */
    engine: { type: 'string', default: 'embedded' },
    json: { type: 'boolean', default: false },
  },
});

forwardSignals();
const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-forecast-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await installPackages();
await requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root });
const realModel = await installRealModel();
const files = writeForecastRows(folder);
const isPytorch = values.engine === 'pytorch';
const python = isPytorch ? await installPython() : undefined;
const env = {
  ...process.env,
  TUNING_FORK_STATE: join(folder, 'state'),
  ...(python && { TUNING_FORK_PYTHON: python }),
};
const wanted = values.only?.split(',').map(Number);

/** @type {ForecastComparison[]} */
const comparisons = [];
for (const [index, point] of (isPytorch ? pytorchGrid : forecastGrid).entries()) {
  if (wanted !== undefined && !wanted.includes(index + 1)) continue;
  const comparison = await measurePoint(index + 1, point);
  comparisons.push(comparison);
  console.error(forecastTable([comparison]).rows[0]?.join('  '));
}
if (values.json) console.log(JSON.stringify(comparisons));
else console.log(formatColumns(forecastTable(comparisons)));
if (!comparisons.every(isWithin)) process.exitCode = 1;

/** @param {number} number @param {GridPoint} point @returns {Promise<ForecastComparison>} */
async function measurePoint(number, { model, plan, settings }) {
  const measuresTime = !(values.memory || isPytorch);
  const steps = measuresTime ? 6 : 2;
  const all = {
    ...settings,
    ...(isPytorch && { engine: 'pytorch', evalRatio: 0 }),
    ...{ threads: values.threads, maxSteps: steps, evalEverySteps: steps, epochs: 1000 },
  };
  const data = settings.objective === 'dpo' ? files.pairs : files.questions;
  const modelId = model === 'tiny' ? 'tiny' : realModel;
  // A teacher of the student's own size: what it says does not matter here.
  const teacher = settings.objective === 'distill' ? ['--teacher', modelId] : [];
  const common = [data, '--model', modelId, ...teacher];
  const ask = (/** @type {Record<string, unknown>} */ more) =>
    Object.entries({ ...all, ...more }).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const onLine = () => undefined;
  // The faster shape is taken where it fits: a limit just below what it needs asks for the other.
  const plenty = 2 ** 40;
  const forecastWith = (/** @type {number} */ memoryLimitBytes) =>
    /** @type {Promise<{ peakMemoryBytes: number, trainingMs: number | null }>} */ (
      runTuningFork(['forecast', ...common, ...ask({ memoryLimitBytes })], { env, onLine })
    );
  const memoryLimitBytes = plan === 'whole' ? plenty : Math.floor((await forecastWith(plenty)).peakMemoryBytes) - 1;
  const trainingMs = measuresTime ? (await forecastWith(memoryLimitBytes)).trainingMs : null;
  // A first pass over the data belongs to the time, and is not in the metrics.
  /** @type {{ startedMs?: number, evaluatedMs: number, askedMs?: number, taughtMs?: number }} */
  const pass = { evaluatedMs: 0 };
  const noteTime = (/** @type {import('../tuningForkCommand.mjs').JsonLine} */ line) => {
    const phase = line.type === 'progress' ? line.phase : undefined;
    if (phase === 'measuring the reference') pass.startedMs ??= performance.now();
    // The student is loaded after a teacher's pass, and loading does not count.
    if (phase === 'asking the teacher') pass.askedMs ??= performance.now();
    if (phase === 'loading weights' && pass.askedMs !== undefined) pass.taughtMs ??= performance.now() - pass.askedMs;
    if (line.type === 'evaluation') pass.evaluatedMs = performance.now();
  };
  /** @type {{ path: string, peakRssBytes: number }} */
  const run = await runTuningFork(['train', ...common, '--runs', join(folder, 'runs'), ...ask({ memoryLimitBytes })], {
    env,
    onLine: noteTime,
  });
  const record = JSON.parse(readFileSync(join(run.path, 'run.json'), 'utf8'));
  if (record.forecast.plan !== plan)
    throw new Error(`grid point ${number}: expected the plan ${plan}, got ${record.forecast.plan}`);
  const rows = readFileSync(join(run.path, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const { elapsedMs } = JSON.parse(rows.at(-1) ?? '{}');
  rmSync(run.path, { recursive: true });
  return compareForecast(
    number,
    { model, plan, settings: isPytorch ? { ...settings, engine: 'pytorch' } : settings },
    {
      forecastBytes: record.forecast.peakMemoryBytes,
      measuredBytes: run.peakRssBytes,
      forecastMs: trainingMs,
      measuredMs: pass.startedMs === undefined ? elapsedMs + (pass.taughtMs ?? 0) : pass.evaluatedMs - pass.startedMs,
    },
  );
}
