// @ts-check
/** The suites of `npm test`, what each needs, and how its tests are counted. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {'python' | 'model' | 'chromium' | 'swiftShader' | 'vscode' | 'llamaCpp'} Need */
/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {'vitest' | 'command'} kind a vitest project of this name, or a command that counts as one test
 * @property {readonly string[]} [command] arguments of Node, or of npm when the first is "npm"
 * @property {readonly Need[]} needs without these the suite is skipped (or, where they must be there, installed)
 * @property {readonly Need[]} wants used when there; its tests skip themselves without
 * @property {number} limitMinutes
 */

/** @type {readonly Suite[]} */
export const suites = [
  { name: 'check', kind: 'command', command: ['npm', 'run', 'check'], needs: [], wants: [], limitMinutes: 5 },
  { name: 'unit', kind: 'vitest', needs: [], wants: [], limitMinutes: 10 },
  { name: 'cli', kind: 'vitest', needs: [], wants: ['model'], limitMinutes: 15 },
  { name: 'parity', kind: 'vitest', needs: ['python', 'model'], wants: [], limitMinutes: 15 },
  { name: 'trackers', kind: 'vitest', needs: ['python'], wants: [], limitMinutes: 8 },
  { name: 'pytorch', kind: 'vitest', needs: ['python'], wants: ['model'], limitMinutes: 12 },
  { name: 'exports', kind: 'vitest', needs: ['llamaCpp'], wants: ['model'], limitMinutes: 8 },
  { name: 'devices', kind: 'vitest', needs: ['swiftShader'], wants: [], limitMinutes: 10 },
  { name: 'webview', kind: 'vitest', needs: ['chromium'], wants: [], limitMinutes: 10 },
  {
    name: 'package',
    kind: 'command',
    command: ['src/tools/package.mjs', '--all'],
    needs: [],
    wants: [],
    limitMinutes: 10,
  },
  { name: 'e2e', kind: 'vitest', needs: ['chromium', 'vscode'], wants: ['python'], limitMinutes: 15 },
];

/**
 * @param {readonly string[]} args
 * @returns {{ chosen: readonly Suite[], install: boolean } | { usage: string }}
 */
export function parseTestArguments(args) {
  const usage = `usage: npm test -- [--install] [${suites.map(suite => suite.name).join('|')}]...`;
  const names = args.filter(arg => !arg.startsWith('-'));
  const wrong =
    args.find(arg => arg.startsWith('-') && arg !== '--install') ??
    names.find(name => !suites.some(suite => suite.name === name));
  if (wrong !== undefined) return { usage: `${wrong}: no such suite or option\n${usage}` };
  const chosen = names.length === 0 ? suites : suites.filter(suite => names.includes(suite.name));
  return { chosen, install: args.includes('--install') };
}

/**
 * Counts of one vitest run. What failed outside a test (a file that does not load, an error nobody awaited) counts as a
 * failed test, and so does a run without any test.
 * @param {unknown} report vitest's JSON report, undefined when none was written
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countReport(report, exitCode) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const files = /** @type {{ testResults?: { status: string, assertionResults: { status: string }[] }[] }} */ (report)
    ?.testResults;
  for (const file of files ?? []) {
    const before = counts.failed;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') counts.failed++;
      else counts.skipped++;
    }
    if (file.status === 'failed' && counts.failed === before) counts.failed++;
  }
  if (counts.failed === 0 && (exitCode !== 0 || counts.passed === 0)) counts.failed = 1;
  return counts;
}

/**
 * How many tests a skipped suite would have run, judged by its source: at least 1.
 * @param {string} root
 * @param {Suite} suite
 */
export function countSourceTests(root, suite) {
  const folder = join(root, 'test', suite.name);
  if (suite.kind === 'command' || !existsSync(folder)) return 1;
  let tests = 0;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.test.ts')) tests += countTestCalls(readFileSync(join(folder, file), 'utf8'));
  }
  return Math.max(1, tests);
}

/** @param {string} source */
export function countTestCalls(source) {
  return source.match(/^\s*(?:it|test)(?:\.\w+(?:\([^\n]*?\))?)*\(/gm)?.length ?? 0;
}

/** @param {readonly Counts[]} all @returns {Counts} */
export function addCounts(all) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const counts of all) {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

/** @param {Counts} counts */
export function formatCounts(counts) {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
