// @ts-check
/**
 * `npm run example:medical -- --data medquad.jsonl [--minutes 30] [--model M]`: is it worth fine-tuning a small model on
 * medical questions? Three epochs of LoRA over as many rows as the time allows, then base, base with its best prompt and
 * adapter on test rows that neither training nor early stopping saw. The report is written beside this file.
 */
import { createReadStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { installPackages } from '../../src/tools/installPackages.mjs';
import { installRealModel } from '../../src/tools/models.mjs';
import { cacheFolder, root } from '../../src/tools/paths.mjs';
import { forwardSignals, requireCommand } from '../../src/tools/runCommand.mjs';
import { runTuningFork } from '../../src/tools/tuningForkCommand.mjs';

/** @typedef {{ focus: string, question: string, answer: string }} Row */

const { values } = parseArgs({
  options: {
    /** MedQuAD as JSON lines with focus, question and answer. */
    data: { type: 'string' },
    /** Default: SmolLM2-135M-Instruct. */
    model: { type: 'string' },
    /** For training and judging together. */
    minutes: { type: 'string', default: '30' },
    /** Answers that are longer are left out: they would be cut. */
    characters: { type: 'string', default: '600' },
    /** Test rows that are judged at most. */
    'judged-rows': { type: 'string', default: '100' },
    seed: { type: 'string', default: '42' },
  },
});

/** Of the time; judging takes the rest. */
const trainingShare = 0.55;
/** Rows whose training is forecast, to know how many fit. */
const probeRows = 400;
const fewestRows = 80;
const settings = {
  epochs: 3,
  rank: 16,
  alpha: 32,
  learningRate: 0.001,
  contextTokens: 256,
  batchRows: 4,
  evalRatio: 0.1,
  testRatio: 0.2,
  evalEverySteps: 25,
  seed: Number(values.seed),
};

/** When a line was last printed. */
let told = 0;

forwardSignals();
const startedAt = performance.now();
if (values.data === undefined) {
  console.error('--data: expected the path of medquad.jsonl, got nothing');
  process.exit(2);
}
const budgetMs = 60_000 * Number(values.minutes);
if (!(budgetMs > 0 && Number.isFinite(budgetMs))) {
  console.error(`--minutes: expected a positive number, got "${values.minutes}"`);
  process.exit(2);
}
const folder = join(cacheFolder, 'medical');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

await installPackages();
await requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root });
const model = values.model ?? (await installRealModel());
const rows = await readRows(resolve(values.data));
const short = shuffle(
  rows.filter(({ answer }) => answer.length <= Number(values.characters)),
  settings.seed,
);
const glossary = join(folder, 'glossary.txt');
writeFileSync(glossary, [...new Set(rows.map(({ focus }) => focus))].map(term => `${term}\n`).join(''));
console.log(`${rows.length} rows, ${short.length} with answers of at most ${values.characters} characters.`);

const count = await chooseCount();
const dataset = writeRows('medquad-sample.jsonl', count);
console.log(`Three epochs over ${count} rows fit into ${values.minutes} minutes with judging.`);
/** @type {{ path: string, steps: number, baseEvalLossNats: number, bestEvalLossNats: number, bestStep: number }} */
const trained = await runTuningFork(['train', dataset, '--model', model, ...asOptions(settings), '--runs', folder], {
  onLine: tell,
});
const trainingMinutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
console.log(
  `Held-out loss ${trained.baseEvalLossNats.toFixed(4)} -> ${trained.bestEvalLossNats.toFixed(4)} nats (step ${trained.bestStep}), ${trainingMinutes} minutes so far.`,
);

// The article's figures, and overlap with the reference; losses behind long prompts would take most of the time.
const metrics = 'exactMatch,tokenF1,rougeL,chrF,termAccuracy,relevance,secondsPerAnswer,tokensPerSecond';
const judging = [
  'judge',
  '--run',
  trained.path,
  '--split',
  'test',
  '--task',
  'questionAnswering',
  '--metrics',
  metrics,
];
/** @type {{ report: string, html: string, metricsFile: string }} */
const judged = await runTuningFork(
  [
    ...judging,
    '--rows',
    values['judged-rows'],
    '--glossary',
    glossary,
    '--name',
    'MedQuAD: base, prompt, adapter',
    '--runs',
    folder,
  ],
  { onLine: tell },
);
const here = join(root, 'examples/medical');
publish(judged.report, 'report.md');
publish(judged.metricsFile, 'metrics.json');
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
writeFileSync(
  join(here, 'run.json'),
  `${JSON.stringify({ rows: rows.length, shortRows: short.length, trainedOn: count, ...pick(trained), settings, minutes: Number(minutes) }, null, 2)}\n`,
);
console.log(`${minutes} minutes. ${join(here, 'report.md')}`);

/**
 * A copy that names files as they are called, not where they lie on this machine. Markdown may have escaped them.
 * @param {string} path @param {string} name
 */
function publish(path, name) {
  const folders = [dirname(resolve(model)), join(cacheFolder, 'medical/runs')].map(folder => `${folder}/`);
  const escaped = folders.map(folder => folder.replaceAll('_', '\\_'));
  const text = [...folders, ...escaped].reduce((all, folder) => all.replaceAll(folder, ''), readFileSync(path, 'utf8'));
  writeFileSync(join(here, name), text);
}

/** @param {string} path @returns {Promise<Row[]>} */
async function readRows(path) {
  /** @type {Row[]} */
  const all = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { focus, question, answer } = JSON.parse(line);
    if (focus && question && answer) all.push({ focus, question, answer });
  }
  return all;
}

/** As many rows as three epochs of them take the training's share of the time, by the forecast of a few. */
async function chooseCount() {
  const probed = Math.min(probeRows, short.length);
  const probe = writeRows('probe.jsonl', probed);
  /** @type {{ trainingMs: number | null }} */
  const forecast = await runTuningFork(['forecast', probe, '--model', model, ...asOptions(settings)], {
    onLine: () => undefined,
  });
  if (forecast.trainingMs === null) throw new Error('forecast: expected the time of training, got none');
  const fitting = Math.floor((probed * trainingShare * budgetMs) / forecast.trainingMs);
  return Math.max(fewestRows, Math.min(short.length, fitting));
}

/** @param {string} name @param {number} rowCount */
function writeRows(name, rowCount) {
  const path = join(folder, name);
  writeFileSync(
    path,
    short
      .slice(0, rowCount)
      .map(row => `${JSON.stringify(row)}\n`)
      .join(''),
  );
  return path;
}

/** @param {Record<string, string | number>} given */
function asOptions(given) {
  return Object.entries(given).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
}

/** @param {typeof trained} result */
function pick({ steps, bestStep, baseEvalLossNats, bestEvalLossNats }) {
  return { steps, bestStep, baseEvalLossNats, bestEvalLossNats };
}

/** Mulberry32 and Fisher-Yates: the same order for the same seed. @template T @param {T[]} list @param {number} seed */
function shuffle(list, seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [list[i], list[j]] = [/** @type {T} */ (list[j]), /** @type {T} */ (list[i])];
  }
  return list;
}

/** A line every ten seconds. @param {import('../../src/shared/commandLine.ts').JsonLine} line */
function tell(line) {
  if (performance.now() - told < 10_000) return;
  if (line.type === 'step') console.log(`step ${line.step}  loss ${line.lossNats.toFixed(4)}`);
  else if (line.type === 'progress') console.log(`${line.phase} ${line.done}/${line.total}`);
  else return;
  told = performance.now();
}
