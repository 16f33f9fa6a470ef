// @ts-check
/**
 * `npm run demo [-- --once]`: on a fresh clone installs, builds, fine-tunes the shipped tiny model on the sample dataset,
 * shows base against tuned, then serves real VS Code with the extension and the sample workspace on this machine.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endDetachedRuns } from './detachedRuns.mjs';
import { installPackages } from './installPackages.mjs';
import { freshPackage } from './package.mjs';
import { root } from './paths.mjs';
import { createProgressBar } from './progressBar.mjs';
import { endRunningCommands, requireCommand, runCommand } from './runCommand.mjs';
import { installVscode, readVscodeVersion } from './vscode.mjs';
import { installExtension, startServer } from './vscodeServer.mjs';

const model = 'tiny';
const shownQuestions = 5;
/** Chosen for the tiny model: enough passes to learn the sample, well under a minute and a half on two cores. */
const recipe = /** @type {readonly string[]} */ ([]);

const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-demo-'));
const workspace = join(folder, 'sample');
const env = { ...process.env, TUNING_FORK_STATE: join(folder, 'state') };

let code = 0;
let interrupted = false;
/** @type {(() => void) | undefined} */
let stopServing;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    interrupted = true;
    endRunningCommands(signal);
    stopServing?.();
  });
}

try {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
  await step('Installing packages', installPackages);
  await step('Building', () => requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root }));
  await step('Copying the sample workspace', copySample);
  const run = await step(`Fine-tuning "${model}"`, () => train(findDataset()));
  await step('Answering held-out questions, base against tuned', () => compare(run));
  const vsix = await step('Packaging the extension', freshPackage);
  console.log(`\nTo use it in desktop VS Code:\n  code --install-extension ${vsix}\n`);
  if (!values.once) await step('Serving VS Code', () => serve(vsix));
} catch (error) {
  if (!interrupted) console.error(`\n${error instanceof Error ? error.message : error}`);
  code = interrupted ? 130 : 1;
} finally {
  endDetachedRuns(env.TUNING_FORK_STATE);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
process.exit(code);

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @throws with the step's name before the cause
 */
async function step(name, work) {
  if (interrupted) throw new Error('interrupted');
  console.log(`\n== ${name}`);
  try {
    return await work();
  } catch (error) {
    throw new Error(`${name} failed: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

async function copySample() {
  cpSync(join(root, 'media/sample'), workspace, { recursive: true });
}

/** The sample's largest dataset. */
function findDataset() {
  const files = readdirSync(workspace).filter(file => file.endsWith('.jsonl'));
  const [largest] = files.sort((a, b) => statSync(join(workspace, b)).size - statSync(join(workspace, a)).size);
  if (!largest) throw new Error('media/sample holds no .jsonl file');
  return join(workspace, largest);
}

/**
 * One command of the command line; gives its `result` line.
 * @param {readonly string[]} args
 * @param {(line: any) => void} onLine
 */
async function runTuningFork(args, onLine) {
  /** @type {any} */
  let last;
  const { code: exitCode, output } = await runCommand(
    [process.execPath, join(root, 'dist/cli.js'), ...args, '--json'],
    {
      cwd: workspace,
      env,
      onLine: text => {
        if (!text.startsWith('{')) return;
        last = JSON.parse(text);
        onLine(last);
      },
    },
  );
  if (exitCode === 0 && last?.type === 'result') return last;
  if (last?.type === 'error') throw new Error([last.message, last.hint].filter(Boolean).join('\n'));
  throw new Error(
    `tuning-fork ${args[0]} ended with code ${exitCode}\n${output.trim().split('\n').slice(-10).join('\n')}`,
  );
}

/** Trains with a progress bar, prints held-out loss before and after, gives the run's folder. @param {string} dataset */
async function train(dataset) {
  const bar = createProgressBar(process.stdout);
  const start = performance.now();
  let runFolder = '';
  const settings = recipe.flatMap(setting => ['--set', setting]);
  const runs = join(workspace, '.tuning-fork');
  const result = await runTuningFork(['train', dataset, '--model', model, '--runs', runs, ...settings], line => {
    if (line.type === 'run') runFolder = line.path;
    if (line.type === 'step')
      bar.draw(line.step, readTotalSteps(runFolder), `step ${line.step}, loss ${line.lossNats.toFixed(3)}`);
  });
  bar.finish();
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${result.steps} steps in ${seconds} s. Loss on held-out questions (nats a token, lower is better):`);
  console.log(`  before ${result.baseEvalLossNats.toFixed(3)}   after ${result.bestEvalLossNats.toFixed(3)}`);
  return runFolder;
}

/** @param {string} runFolder */
function readTotalSteps(runFolder) {
  const file = join(runFolder, 'status.json');
  return runFolder && existsSync(file) ? Number(JSON.parse(readFileSync(file, 'utf8')).totalSteps) : 0;
}

/** Prints the answers of base and tuned model to held-out questions. @param {string} run */
async function compare(run) {
  /** @type {Map<string, Record<string, string>>} */
  const answers = new Map();
  await runTuningFork(['compare', '--model', model, '--adapter', run, '--run', run], line => {
    if (line.type !== 'generation') return;
    const row = answers.get(line.prompt) ?? {};
    answers.set(line.prompt, row);
    row[line.kind] = line.text.trim();
    if (line.reference) row.reference = line.reference;
  });
  if (answers.size === 0) throw new Error('compare printed no answers');
  for (const [question, row] of [...answers].slice(0, shownQuestions)) {
    console.log(`\n  Question   ${question}`);
    console.log(`  Base       ${row.base}`);
    console.log(`  Tuned      ${row.adapter}`);
    if (row.reference) console.log(`  Reference  ${row.reference}`);
  }
}

/** Serves until Ctrl-C. @param {string} vsix */
async function serve(vsix) {
  const vscode = await installVscode();
  const token = randomBytes(16).toString('hex');
  const plan = {
    vscode,
    folder: join(folder, 'editor'),
    trustAll: true,
    token,
    env: { TUNING_FORK_STATE: env.TUNING_FORK_STATE },
  };
  await installExtension(plan, vsix);
  const server = await startServer(plan);
  stopServing = () => void server.stop();
  const query = new URLSearchParams({ folder: workspace, tkn: token });
  console.log(`VS Code ${readVscodeVersion(vscode)} with Tuning Fork and the sample workspace (Ctrl-C ends it):`);
  console.log(`\n  http://127.0.0.1:${server.port}/?${query}\n`);
  console.log('Right-click a dataset in the Explorer and choose "Fine-tune with this dataset...".');
  await server.exited;
}
