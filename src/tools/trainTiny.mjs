// @ts-check
/**
 * `npm run tiny`: makes media/tiny anew. Tokenizer, random weights and conversations come from one seed; then Tuning Fork
 * itself trains all weights. The same machine and threads give the same bytes.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { cacheFolder, root } from './paths.mjs';
import { createProgressBar } from './progressBar.mjs';
import { forwardSignals, requireCommand } from './runCommand.mjs';
import { runTuningFork } from './tuningForkCommand.mjs';

const settings = {
  method: 'full',
  maxSteps: 1700,
  learningRate: 0.003,
  warmupRatio: 0.04,
  weightDecay: 0.01,
  beta2: 0.98,
  batchRows: 8,
  contextTokens: 256,
  evalRatio: 0.005,
  evalEverySteps: 100,
  earlyStoppingPatience: 0,
  threads: 2,
  seed: 42,
};

const folder = join(cacheFolder, 'tiny');
const tools = join(cacheFolder, 'tools');

forwardSignals();
await requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root });
await build({
  entryPoints: [join(root, 'src/tools/tinyModel.ts'), join(root, 'src/tools/publishTiny.ts')],
  outdir: tools,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  logLevel: 'warning',
});
const { makeTinyStart, writeInitialModel, writeCorpus } = await import(join(tools, 'tinyModel.mjs'));
const { publishTiny } = await import(join(tools, 'publishTiny.mjs'));

rmSync(folder, { recursive: true, force: true });
const start = makeTinyStart();
writeInitialModel(join(folder, 'start'), start);
writeCorpus(join(folder, 'corpus.jsonl'), start);
console.log(`${start.corpus.length} conversations, ${start.tokenizer.vocabularySize} tokens`);

const result = await train();
const facts = {
  settings,
  steps: result.steps,
  startLossNats: result.baseEvalLossNats,
  heldOutLossNats: result.bestEvalLossNats,
};
const bytes = publishTiny(result.output, join(root, 'media/tiny'), facts, start);
console.log(`media/tiny: ${(bytes / 1e6).toFixed(2)} MB, held-out loss ${result.bestEvalLossNats.toFixed(4)} nats`);

async function train() {
  const bar = createProgressBar(process.stdout);
  const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const model = ['--model', join(folder, 'start'), '--runs', join(folder, 'runs')];
  const result = await runTuningFork(['train', join(folder, 'corpus.jsonl'), ...model, ...set], {
    env: { ...process.env, TUNING_FORK_STATE: join(folder, 'state') },
    onLine: line => {
      if (line.type !== 'step') return;
      bar.draw(line.step, settings.maxSteps, `step ${line.step}, loss ${line.lossNats.toFixed(3)}`);
    },
  });
  bar.finish();
  return result;
}
