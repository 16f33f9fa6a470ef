// @ts-check
/**
 * `npm run demo [-- --once]`: on a fresh clone installs, builds, fine-tunes the shipped tiny model on the sample dataset,
 * shows base against tuned, then serves real VS Code with the extension and the sample workspace on this machine.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareDemo, trainDemo } from './demoModel.mjs';
import { demoRecipe } from './demoRecipe.mjs';
import { endDetachedRuns } from './detachedRuns.mjs';
import { installPackages } from './installPackages.mjs';
import { freshPackage } from './package.mjs';
import { root } from './paths.mjs';
import { endRunningCommands, requireCommand } from './runCommand.mjs';
import { installVscode, readVscodeVersion } from './vscode.mjs';
import { installExtension, startServer } from './vscodeServer.mjs';

const model = 'tiny';

const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-demo-'));
const workspace = join(folder, 'sample');
const env = { ...process.env, TUNING_FORK_STATE: join(folder, 'state') };
const place = { model, workspace, env };

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
  const run = await step(`Fine-tuning "${model}"`, () => trainDemo(findDataset(), place));
  await step('Answering held-out questions, base against tuned', () => compareDemo(run, place));
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
  const { learningRate, epochs, contextTokens } = demoRecipe;
  console.log(`The run above: learning rate ${learningRate}, ${epochs} epochs, context ${contextTokens}.`);
  await server.exited;
}
