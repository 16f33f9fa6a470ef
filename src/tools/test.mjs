// @ts-check
/**
 * `npm test [-- [--install] SUITE...]`: installs and builds what is missing, runs the suites in order, and ends with one
 * line of counts. Where Python, Chromium or another need is absent, the suites that use it are skipped, counted, with
 * the reason; with CI=true (or --install) the need is installed, and failing to is a failure.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeMissingChromium, findChromium, installChromium } from './chromium.mjs';
import { installPackages } from './installPackages.mjs';
import { describeMissingLlamaCpp, findLlamaCpp, installLlamaCpp } from './llamaCpp.mjs';
import { describeMissingModel, findRealModel, installRealModel } from './models.mjs';
import { cacheFolder, root } from './paths.mjs';
import { describeMissingPython, findPython, installPython } from './python.mjs';
import { forwardSignals, npmCommand, runCommand } from './runCommand.mjs';
import { addCounts, countReport, countSourceTests, formatCounts, parseTestArguments } from './suites.mjs';
import { describeMissingSwiftShader, findSwiftShader, installSwiftShader } from './swiftShader.mjs';
import { describeMissingVscode, findVscode, installVscode } from './vscode.mjs';

/** @type {Record<import('./suites.mjs').Need, { find: () => unknown, missing: () => string, install: () => Promise<unknown> }>} */
const needs = {
  python: { find: findPython, missing: describeMissingPython, install: installPython },
  model: { find: findRealModel, missing: describeMissingModel, install: installRealModel },
  chromium: { find: findChromium, missing: describeMissingChromium, install: installChromium },
  swiftShader: { find: findSwiftShader, missing: describeMissingSwiftShader, install: installSwiftShader },
  llamaCpp: { find: findLlamaCpp, missing: describeMissingLlamaCpp, install: installLlamaCpp },
  vscode: { find: findVscode, missing: describeMissingVscode, install: installVscode },
};

forwardSignals();
const parsed = parseTestArguments(process.argv.slice(2));
if ('usage' in parsed) {
  console.error(parsed.usage);
  process.exit(2);
}
const install = parsed.install || /^(1|true)$/i.test(process.env.CI ?? '');
const reports = join(cacheFolder, 'test');
mkdirSync(reports, { recursive: true });

/** @typedef {{ name: string, counts: import('./suites.mjs').Counts, seconds: number, note: string }} Row */
/** @type {Row[]} */
const rows = [];

try {
  await timed('install', async () => {
    await installPackages();
    return undefined;
  });
  await timed('build', async () => {
    const { code } = await runCommand([process.execPath, 'esbuild.mjs'], { cwd: root, limitMs: 5 * 60_000 });
    if (code !== 0) throw new Error('node esbuild.mjs failed; its message is above');
    return undefined;
  });
  for (const suite of parsed.chosen) await timed(suite.name, () => runSuite(suite));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
}

const total = addCounts(rows.map(row => row.counts));
console.log(
  `\n${'suite'.padEnd(10)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'skipped'.padStart(8)}${'time'.padStart(9)}`,
);
for (const { name, counts, seconds, note } of rows) {
  const figures = [counts.passed, counts.failed, counts.skipped].map(n => String(n).padStart(8)).join('');
  console.log(`${name.padEnd(10)}${figures}${`${seconds.toFixed(1)} s`.padStart(9)}${note && `   ${note}`}`);
}
console.log(formatCounts(total));
process.exitCode = total.failed > 0 ? 1 : 0;

/**
 * Runs one row of the closing table; a step that throws counts as one failure.
 * @param {string} name
 * @param {() => Promise<{ counts: import('./suites.mjs').Counts, note?: string } | undefined>} step
 */
async function timed(name, step) {
  const start = performance.now();
  const finish = (/** @type {import('./suites.mjs').Counts} */ counts, note = '') =>
    rows.push({ name, counts, seconds: (performance.now() - start) / 1000, note });
  console.log(`\n=== ${name}`);
  try {
    const result = await step();
    finish(result?.counts ?? { passed: 0, failed: 0, skipped: 0 }, result?.note);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    finish({ passed: 0, failed: 1, skipped: 0 }, message.split('\n')[0]);
    throw error;
  }
}

/** @param {import('./suites.mjs').Suite} suite */
async function runSuite(suite) {
  for (const need of install ? [...suite.needs, ...suite.wants] : suite.needs) {
    const { find, missing, install: bring } = needs[need];
    if (find()) continue;
    // VS Code comes by npm alone, which is there; the others change the machine and are brought only when asked for.
    if (!install && need !== 'vscode') return skip(suite, missing());
    try {
      await bring();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!install) return skip(suite, message);
      console.error(message);
      return { counts: { passed: 0, failed: 1, skipped: 0 }, note: `could not install ${need}` };
    }
  }
  return suite.kind === 'vitest' ? runVitest(suite) : runOneCommand(suite);
}

/** @param {import('./suites.mjs').Suite} suite @param {string} reason */
function skip(suite, reason) {
  console.log(`skipped: ${reason}`);
  return { counts: { passed: 0, failed: 0, skipped: countSourceTests(root, suite) }, note: `skipped: ${reason}` };
}

/** @param {import('./suites.mjs').Suite} suite */
async function runVitest(suite) {
  const file = join(reports, `${suite.name}.json`);
  rmSync(file, { force: true });
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { code, timedOut } = await runCommand(
    [
      process.execPath,
      vitest,
      'run',
      '--project',
      suite.name,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ],
    { cwd: root, env: testEnvironment(suite), limitMs: suite.limitMinutes * 60_000 },
  );
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  return { counts: countReport(report, code), ...(timedOut && { note: `ended after ${suite.limitMinutes} minutes` }) };
}

/** @param {import('./suites.mjs').Suite} suite */
async function runOneCommand(suite) {
  const [first, ...rest] = suite.command ?? [];
  const command = first === 'npm' ? [...npmCommand(), ...rest] : [process.execPath, String(first), ...rest];
  const { code, timedOut } = await runCommand(command, { cwd: root, limitMs: suite.limitMinutes * 60_000 });
  const failed = code === 0 ? 0 : 1;
  return {
    counts: { passed: 1 - failed, failed, skipped: 0 },
    ...(timedOut && { note: `ended after ${suite.limitMinutes} minutes` }),
  };
}

/** What tests find by name, so that they and this program use the same. @param {import('./suites.mjs').Suite} suite */
function testEnvironment(suite) {
  const python = findPython();
  const model = findRealModel();
  const chromium = findChromium();
  const llamaCpp = findLlamaCpp();
  return {
    ...process.env,
    ...(python && { TUNING_FORK_PYTHON: python }),
    ...(model && { TUNING_FORK_MODEL: model }),
    ...(chromium && { CHROMIUM: chromium }),
    ...(llamaCpp && { TUNING_FORK_LLAMA_CPP: llamaCpp }),
    ...(suite.needs.includes('swiftShader') && findSwiftShader()),
  };
}
