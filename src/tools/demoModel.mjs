// @ts-check
/** The demo's two acts on the command line: fine-tune with a progress bar, then base against tuned on held-out questions. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoRecipe } from './demoRecipe.mjs';
import { createProgressBar } from './progressBar.mjs';
import { runTuningFork } from './tuningForkCommand.mjs';

const shownQuestions = 6;
/** What takes time when answers are compared, as the command line calls it. */
const askingPhases = ['searching the best prompt', 'comparing'];

/** @typedef {import('../shared/commandLine.ts').TrainResult} TrainResult */
/** @typedef {import('../core/infer/compareAnswers.ts').ComparisonResult} ComparisonResult */
/** @typedef {{ model: string, workspace: string, env: NodeJS.ProcessEnv }} Place */

/**
 * Trains, prints the held-out loss before and after, gives the run's folder.
 * @param {string} dataset
 * @param {Place} place
 * @returns {Promise<string>}
 */
export async function trainDemo(dataset, { model, workspace, env }) {
  const bar = createProgressBar(process.stdout);
  const settings = Object.entries(demoRecipe).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const args = ['train', dataset, '--model', model, '--runs', join(workspace, '.tuning-fork'), ...settings];
  let run = '';
  let totalSteps = 0;
  let heldOut = '';
  let startedAt = performance.now();
  /** @type {TrainResult} */
  const result = await runTuningFork(args, {
    cwd: workspace,
    env,
    onLine: line => {
      if (line.type === 'run') run = line.path;
      if (line.type === 'evaluation') heldOut = `, held-out ${line.evalLossNats.toFixed(3)}`;
      if (line.type !== 'step') return;
      if (totalSteps === 0) {
        totalSteps = readTotalSteps(run);
        startedAt = performance.now();
      }
      bar.draw(line.step, totalSteps, `step ${line.step}, loss ${line.lossNats.toFixed(3)}${heldOut}`);
    },
  });
  bar.finish();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(
    `\n  ${result.steps} steps in ${seconds} s.${result.stoppedEarly ? ' Stopped early: no further gain.' : ''}`,
  );
  console.log('  Loss on held-out questions, in nats a token (lower is better):');
  console.log(`    before  ${result.baseEvalLossNats?.toFixed(3)}`);
  console.log(`    after   ${result.bestEvalLossNats?.toFixed(3)}   (best of the run, step ${result.bestStep})`);
  return run;
}

/** @param {string} run */
function readTotalSteps(run) {
  const file = join(run, 'status.json');
  return run !== '' && existsSync(file) ? Number(JSON.parse(readFileSync(file, 'utf8')).totalSteps) : 0;
}

/**
 * Prints some answers and how all of them measure.
 * @param {string} run
 * @param {Place} place
 */
export async function compareDemo(run, { model, workspace, env }) {
  /** @type {Map<string, Record<string, string>>} */
  const answers = new Map();
  let phase = '';
  let bar = createProgressBar(process.stdout);
  /** @type {ComparisonResult} */
  const result = await runTuningFork(['compare', '--model', model, '--adapter', run, '--run', run], {
    cwd: workspace,
    env,
    onLine: line => {
      if (line.type === 'progress' && askingPhases.includes(line.phase)) {
        if (line.phase !== phase) {
          bar.finish();
          bar = createProgressBar(process.stdout);
          phase = line.phase;
        }
        bar.draw(line.done, line.total, phase);
      }
      if (line.type !== 'generation') return;
      const row = answers.get(line.prompt) ?? {};
      answers.set(line.prompt, row);
      row[line.kind] = line.text.trim().replace(/\s+/g, ' ');
      if (line.reference) row.reference = line.reference;
    },
  });
  bar.finish();
  for (const [question, row] of [...answers].slice(0, shownQuestions)) {
    console.log(`\n  ${question}`);
    for (const [label, kind] of [...labels, ['reference', 'reference']])
      if (row[kind]) console.log(`    ${label.padEnd(12)} ${row[kind]}`);
  }
  printScores(result);
}

const labels = /** @type {const} */ ([
  ['base', 'base'],
  ['best prompt', 'prompted'],
  ['tuned', 'adapter'],
]);

/** @param {ComparisonResult} result */
function printScores({ scored, tokenF1, exactMatch, adapterMinusBase }) {
  if (tokenF1 === undefined || exactMatch === undefined || adapterMinusBase === undefined) return;
  console.log(`\n  All ${scored} held-out questions:`);
  console.log(`    ${''.padEnd(12)} token F1   word for word`);
  for (const [label, kind] of labels) {
    const { [kind]: score } = tokenF1;
    const { [kind]: exact } = exactMatch;
    if (score === undefined || exact === undefined) continue;
    const share = `${Math.round(100 * exact)} %`;
    console.log(`    ${label.padEnd(12)} ${score.toFixed(2).padStart(8)}   ${share.padStart(13)}`);
  }
  const { difference, low, high } = adapterMinusBase;
  console.log(
    `  Tuned minus base: ${difference.toFixed(2)} token F1, 95 % interval ${low.toFixed(2)} to ${high.toFixed(2)} (paired bootstrap).`,
  );
}
