// @ts-check
/**
 * `npm run bench`: speed and memory of training with both shapes of the engine and of answering, beside PyTorch + PEFT
 * and node-llama-cpp on the same model, batch and threads. Brings what it needs. Each case runs in a process of its own, cases take turns.
 * The machine should have nothing else to do.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from '../installPackages.mjs';
import { installLlamaCpp } from '../llamaCpp.mjs';
import { installRealModel } from '../models.mjs';
import { root } from '../paths.mjs';
import { installPython } from '../python.mjs';
import { forwardSignals, requireCommand } from '../runCommand.mjs';
import { benchCases, groups } from './benchCases.mjs';
import { profileTables, summarizeProfile } from './benchProfile.mjs';
import { measureQuality, qualityTable } from './benchQuality.mjs';
import { formatColumns, formatMarkdown } from './benchTable.mjs';
import { contextTable, summarizeContexts } from './contextReport.mjs';
import { decodingTable, summarizeDecoding } from './decodingReport.mjs';
import { replaceFigures } from './figuresPage.mjs';
import { findDifferentLosses, summarizeTraining, trainingSpeed, trainingTable } from './trainingReport.mjs';

/** @typedef {import('./benchCases.mjs').Measurement} Measurement */

const usage = `usage: npm run bench -- [options]
  --only ${groups.join(',')}   measure these alone
  --context 256,1024           tokens of a row; a batch has as many rows as make 1,024 tokens
  --repeats N    processes of each case, 3
  --quick        one process of each case, fewer steps
  --threads N    2
  --quality int8 --data FILE   instead of speed: held-out loss after training on 8-bit and on float weights
  --seeds LIST                 of --quality, default 1,2,3
  --profile S    instead of measuring, shows where a step of S (whole, layered, int8) spends its time; int8 is one graph
  --json         one JSON object on standard output instead of tables
  --write        put the figures into test/bench/README.md`;

const page = join(root, 'test/bench/README.md');
const batchTokens = 1024;
const contexts = [256, 1024];
/** About 60 tokens; the prompt repeats it. */
const passage =
  'The ferry left the old harbour at six in the morning, before the fog had lifted from the water. On board were a baker ' +
  'with two crates of bread, a teacher who counted her pupils for the third time, and a carpenter who had not slept. ' +
  'Nobody had told them that the lighthouse had gone dark. ';

forwardSignals();
const options = readOptions();
if (typeof options === 'string') {
  console.error(options);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
try {
  if (options.qualityData !== undefined) await compareQuality(options.qualityData, options);
  else await (options.profile === undefined ? bench(options) : profile(options.profile, options));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @typedef {'whole' | 'layered' | 'int8'} Profiled */
/** @typedef {{ chosen: readonly import('./benchCases.mjs').BenchCase[], contexts: readonly number[], repeats: number, threads: number, profile: Profiled | undefined, qualityData: string | undefined, seeds: readonly number[], quick: boolean, json: boolean, write: boolean }} Options */

/** The options, or what is wrong with them. @returns {Options | string} */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: groups.join(',') },
        context: { type: 'string', default: contexts.join(',') },
        repeats: { type: 'string' },
        threads: { type: 'string', default: '2' },
        profile: { type: 'string' },
        quality: { type: 'string' },
        data: { type: 'string' },
        seeds: { type: 'string', default: '1,2,3' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
      },
    });
    const { profile, quality, data, quick, json, write } = values;
    if (quality !== undefined && quality !== 'int8') return `--quality: expected int8, got ${quality}\n${usage}`;
    if (quality !== undefined && data === undefined)
      return `--quality: expected --data with rows of question and answer, got none\n${usage}`;
    const seeds = values.seeds.split(',').map(Number);
    if (!seeds.every(seed => Number.isInteger(seed) && seed >= 0))
      return `--seeds: expected whole numbers with commas, got ${values.seeds}\n${usage}`;
    const wanted = values.only.split(',');
    const unknown = wanted.find(name => !groups.some(group => group === name));
    if (unknown !== undefined) return `--only: expected some of ${groups.join(',')}, got ${unknown}\n${usage}`;
    const wantedContexts = values.context.split(',').map(Number);
    if (!wantedContexts.every(context => contexts.includes(context)))
      return `--context: expected some of ${contexts.join(',')}, got ${values.context}\n${usage}`;
    const repeats = Number(values.repeats ?? (quick ? 1 : 3));
    const threads = Number(values.threads);
    if (!(Number.isInteger(repeats) && repeats > 0))
      return `--repeats: expected 1 or more, got ${values.repeats}\n${usage}`;
    if (!(Number.isInteger(threads) && threads > 0))
      return `--threads: expected 1 or more, got ${values.threads}\n${usage}`;
    if (profile !== undefined && profile !== 'whole' && profile !== 'layered' && profile !== 'int8') {
      return `--profile: expected whole, layered or int8, got ${profile}\n${usage}`;
    }
    const chosen = benchCases.filter(({ group }) => wanted.includes(group));
    return {
      chosen,
      contexts: wantedContexts,
      repeats,
      threads,
      profile,
      qualityData: quality && data,
      seeds,
      quick,
      json,
      write,
    };
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n${usage}`;
  }
}

/** @param {Options} options */
async function bench({ chosen, contexts: wanted, repeats, threads, quick, json, write }) {
  const needsPython = chosen.some(({ by }) => by === 'pytorch');
  await installPackages();
  await requireCommand([process.execPath, 'esbuild.mjs', '--bench'], { cwd: root });
  const model = await installRealModel();
  const python = needsPython ? await installPython() : '';
  const llamaCpp = chosen.some(({ by }) => by === 'llama.cpp') ? await installLlamaCpp() : '';
  const load = loadavg()[0] ?? 0;
  if (load > 0.5) console.error(`The machine is busy (load average ${load.toFixed(1)}): the figures will be too.`);
  /** @type {Record<string, string>} */
  let versions = {};
  /** Runs every case in turn, as often as wanted. @param {string} work @param {number} batchContext */
  const measure = async (work, batchContext) => {
    const cases = chosen.filter(benchCase => benchCase.work === work);
    /** @type {Map<string, Measurement[]>} */
    const results = new Map(cases.map(({ name }) => [name, []]));
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const benchCase of cases) {
        const { contextTokens = batchContext } = benchCase;
        const plan = join(folder, `plan-${contextTokens}.json`);
        writeFileSync(plan, JSON.stringify(makePlan({ model, threads, quick, contextTokens })));
        const { versions: found, ...measurement } = await runCase(benchCase, { python, llamaCpp }, plan);
        versions = { ...versions, ...found };
        results.get(benchCase.name)?.push(measurement);
        const where = `run ${repeat} of ${repeats}: ${work === 'training' ? `${describeBatch(contextTokens)}, ` : ''}`;
        const tokens = Math.max(batchTokens, contextTokens);
        console.error(`${where}${benchCase.label}: ${describeSpeed(measurement, tokens)}`);
      }
    }
    return results;
  };
  const training = [];
  for (const contextTokens of chosen.some(({ work }) => work === 'training') ? wanted : []) {
    const cases = summarizeTraining(await measure('training', contextTokens), batchTokens);
    training.push({ batch: describeBatch(contextTokens), cases });
  }
  const byContext = summarizeContexts(await measure('context', batchTokens));
  const decoding = summarizeDecoding(await measure('decoding', contexts[0] ?? batchTokens));
  const machine = describeMachine({ versions, threads, repeats, load });
  const different = training.flatMap(({ cases }) => findDifferentLosses(cases));
  if (different.length > 0) throw new Error(`the cases did not compute the same:\n${different.join('\n')}`);
  const tables = [
    ...training.map(({ cases, batch }) => trainingTable(cases, batch)),
    ...(byContext.length > 0 ? [contextTable(byContext)] : []),
    ...(decoding.length > 0 ? [decodingTable(decoding)] : []),
  ];
  if (json) console.log(JSON.stringify({ machine, training, contexts: byContext, decoding }));
  else console.log(`\n${[...tables.map(formatColumns), machine.join('\n')].join('\n\n')}`);
  if (!write) return;
  const list = machine.map(line => `- ${line}`).join('\n');
  const figures = ['', ...tables.map(table => `${formatMarkdown(table)}\n`), list, ''].join('\n');
  writeFileSync(page, replaceFigures(readFileSync(page, 'utf8'), figures));
}

/**
 * One warm-up step and the timed ones, all of them profiled.
 * @param {Profiled} profiled
 * @param {Options} options
 */
async function profile(profiled, { contexts: [contextTokens = batchTokens], threads, quick, json }) {
  await installPackages();
  await requireCommand([process.execPath, 'esbuild.mjs', '--bench'], { cwd: root });
  const plan = join(folder, 'plan.json');
  writeFileSync(plan, JSON.stringify(makePlan({ model: await installRealModel(), threads, quick, contextTokens })));
  const prefix = join(folder, 'profile');
  const how = profiled === 'int8' ? ['whole', plan, '8bit'] : [profiled, plan, 'float32'];
  await requireCommand([process.execPath, join(root, '.cache/bench/train.js'), ...how, prefix], { cwd: folder });
  const files = readdirSync(folder).filter(name => name.startsWith('profile'));
  const summary = summarizeProfile(files.flatMap(name => JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  if (json) {
    console.log(JSON.stringify(summary));
    return;
  }
  for (const table of profileTables(summary, 15)) console.log(`${formatColumns(table)}\n`);
  console.log(`${(100 * summary.productShare).toFixed(0)} % of the time is spent in matrix products.`);
}

/** @param {string} data @param {Options} options */
async function compareQuality(data, { threads, seeds, quick, json }) {
  await installPackages();
  await requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root });
  const model = await installRealModel();
  const pairs = await measureQuality({ model, data: resolve(data), folder, threads, seeds, quick });
  if (json) console.log(JSON.stringify(pairs));
  else console.log(`\n${formatColumns(qualityTable(pairs))}`);
}

/**
 * @param {import('./benchCases.mjs').BenchCase} benchCase
 * @param {{ python: string, llamaCpp: string }} others where they are
 * @param {string} plan
 * @returns {Promise<Measurement & { versions?: Record<string, string> }>}
 */
async function runCase(benchCase, others, plan) {
  const { name, work, by, shape = /** @type {'whole' | 'layered'} */ (name), baseWeights = 'float32' } = benchCase;
  const built = (/** @type {string} */ program) => join(root, '.cache/bench', program);
  if (by === 'llama.cpp' && !existsSync(join(folder, 'lora.gguf'))) {
    await requireCommand([process.execPath, built('prepareDecoding.js'), plan, folder], { cwd: folder });
  }
  const command = {
    pytorch: [others.python, join(root, 'test/bench/pytorch.py'), work === 'decoding' ? 'decode' : name, plan],
    'llama.cpp': [process.execPath, join(root, 'test/bench/llamaCpp.mjs'), others.llamaCpp, plan, folder],
    engine: [
      process.execPath,
      ...(work === 'decoding' ? [built('decode.js')] : [built('train.js'), shape]),
      plan,
      ...(work === 'decoding' ? [] : [baseWeights]),
    ],
  }[by];
  const output = await requireCommand(command, { cwd: folder, limitMs: 20 * 60_000 });
  const line = output.split('\n').findLast(text => text.startsWith('{'));
  if (line === undefined) throw new Error(`${command.join(' ')} printed no measurement`);
  return JSON.parse(line);
}

/** @param {number} contextTokens */
function countRows(contextTokens) {
  return Math.max(1, batchTokens / contextTokens);
}

/** @param {number} contextTokens */
function describeBatch(contextTokens) {
  return `${countRows(contextTokens)} x ${contextTokens}`;
}

/** @param {{ model: string, threads: number, quick: boolean, contextTokens: number }} options @returns {import('../../../test/bench/benchPlan.ts').BenchPlan} */
function makePlan({ model, threads, quick, contextTokens }) {
  return {
    model,
    threads,
    warmupSteps: 1,
    timedSteps: quick ? 1 : 3,
    batchRows: countRows(contextTokens),
    contextTokens,
    tokenIds: drawTokenIds(countRows(contextTokens) * contextTokens),
    // A quarter of each row is supervised, as where answers are a quarter of the text.
    supervisedFrom: (3 * contextTokens) / 4,
    lora: {
      rank: 16,
      alpha: 32,
      targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    },
    optimizer: { learningRate: 2e-4, weightDecay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clipNorm: 1 },
    prompt: `${passage.repeat(4)}Retell this as a long story with many details.`,
    outputTokens: quick ? 16 : 64,
  };
}

/** Ordinary tokens of SmolLM2's vocabulary: what they say does not change what a step costs. @param {number} count */
function drawTokenIds(count) {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1000 + ((state >>> 8) % 40_000);
  });
}

/** @param {Measurement} measurement @param {number} tokens of a step */
function describeSpeed(measurement, tokens) {
  if ('stepMs' in measurement) return `${trainingSpeed(measurement, tokens).toFixed(0)} tokens/s`;
  const { base, adapter } = measurement;
  return `${base.tokensPerSecond.toFixed(1)} tokens/s, ${adapter.tokensPerSecond.toFixed(1)} with adapter`;
}

/** @param {{ versions: Record<string, string>, threads: number, repeats: number, load: number }} run */
function describeMachine({ versions, threads, repeats, load }) {
  const runtime = JSON.parse(readFileSync(join(root, 'node_modules/onnxruntime-node/package.json'), 'utf8')).version;
  const cores = cpus();
  const python = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${readCpuModel()}, ${cores.length} logical cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB memory, ${process.platform}`,
    [`Node ${process.versions.node}`, `onnxruntime-node ${runtime}`, ...python].join(', '),
    `${new Date().toISOString().slice(0, 10)}, ${threads} threads, median of ${repeats} interleaved ${repeats === 1 ? 'run' : 'runs'} of each case, load average before ${load.toFixed(1)}`,
  ];
}

/** With the instruction sets that matter to matrix products. */
function readCpuModel() {
  const name = cpus()[0]?.model.trim() || 'unknown processor';
  if (!existsSync('/proc/cpuinfo')) return name;
  const info = readFileSync('/proc/cpuinfo', 'utf8');
  const flags = new Set(/^flags\s*:(.*)$/m.exec(info)?.[1]?.split(' '));
  const sets = ['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_tile'].filter(flag => flags.has(flag));
  return sets.length > 0 ? `${name} (${sets.join(', ')})` : name;
}
