// @ts-check
/**
 * What training on 8-bit base weights costs in quality: for each seed the same run on float weights and on 8-bit ones, and
 * the held-out loss of both adapters on the float base, as `tuning-fork eval` measures it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTuningFork } from '../tuningForkCommand.mjs';

/** @typedef {{ seed: number, baseLossNats: number, floatLossNats: number, integerLossNats: number, integerOwnLossNats: number }} QualityPair */

const rowCount = 500;

/**
 * @param {{ model: string, data: string, folder: string, threads: number, seeds: readonly number[], quick: boolean }} options data: JSON lines of question and answer
 * @returns {Promise<QualityPair[]>}
 */
export async function measureQuality({ model, data, folder, threads, seeds, quick }) {
  const rows = join(folder, 'rows.jsonl');
  writeFileSync(rows, `${takeEvenly(readFileSync(data, 'utf8').split('\n').filter(Boolean), rowCount).join('\n')}\n`);
  const env = { ...process.env, TUNING_FORK_STATE: join(folder, 'state') };
  /** @type {(seed: number, baseWeights: 'float32' | '8bit') => Promise<{ own: number, base: number, adapter: number }>} */
  const train = async (seed, baseWeights) => {
    const steps = quick ? 2 : 60;
    const settings = {
      seed,
      baseWeights,
      threads,
      contextTokens: 256,
      batchRows: 4,
      maxSteps: steps,
      evalEverySteps: steps,
    };
    const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const onLine = () => undefined;
    /** @type {{ path: string, bestEvalLossNats: number }} */
    const run = await runTuningFork(['train', rows, '--model', model, '--runs', join(folder, 'runs'), ...set], {
      env,
      onLine,
    });
    /** @type {{ adapter?: string, evalLossNats: number }[]} */
    const losses = [];
    await runTuningFork(['eval', '--model', model, '--adapter', run.path, '--run', run.path, '--split', 'heldOut'], {
      env,
      onLine: line => {
        if (line.type === 'evaluation') losses.push(line);
      },
    });
    const lossOf = (/** @type {boolean} */ isTuned) =>
      losses.find(({ adapter }) => (adapter !== undefined) === isTuned)?.evalLossNats ?? Number.NaN;
    console.error(
      `seed ${seed}, ${baseWeights}: held-out loss ${lossOf(false).toFixed(4)} -> ${lossOf(true).toFixed(4)}`,
    );
    return { own: run.bestEvalLossNats, base: lossOf(false), adapter: lossOf(true) };
  };
  const pairs = [];
  for (const seed of seeds) {
    const integer = await train(seed, '8bit');
    const float = await train(seed, 'float32');
    pairs.push({
      seed,
      baseLossNats: float.base,
      floatLossNats: float.adapter,
      integerLossNats: integer.adapter,
      integerOwnLossNats: integer.own,
    });
  }
  return pairs;
}

/** @param {readonly string[]} lines @param {number} count */
export function takeEvenly(lines, count) {
  const every = Math.max(1, Math.floor(lines.length / count));
  return lines.filter((_, index) => index % every === 0).slice(0, count);
}

/** @param {readonly QualityPair[]} pairs */
export function qualityTable(pairs) {
  return {
    header: ['Seed', 'base', 'float weights', '8-bit weights', 'difference', 'as the 8-bit run measured it'],
    rows: pairs.map(({ seed, baseLossNats, floatLossNats, integerLossNats, integerOwnLossNats }) => [
      String(seed),
      baseLossNats.toFixed(4),
      floatLossNats.toFixed(4),
      integerLossNats.toFixed(4),
      `${(100 * (integerLossNats / floatLossNats - 1)).toFixed(2)} %`,
      integerOwnLossNats.toFixed(4),
    ]),
  };
}
