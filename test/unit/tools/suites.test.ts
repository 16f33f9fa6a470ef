import { describe, expect, it } from 'vitest';
import {
  addCounts,
  countReport,
  countSourceTests,
  countTestCalls,
  formatCounts,
  parseTestArguments,
  suites,
} from '../../../src/tools/suites.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map(test => ({ status: test })),
});

describe('parseTestArguments', () => {
  it('chooses every suite when none is named', () => {
    expect(parseTestArguments([])).toEqual({ chosen: suites, install: false });
  });

  it('keeps the order of the table, whatever the order of the names', () => {
    const parsed = parseTestArguments(['cli', '--install', 'unit']);
    expect(parsed).toMatchObject({ chosen: [{ name: 'unit' }, { name: 'cli' }], install: true });
  });

  it.each(['units', '--verbose'])('refuses %s and names the suites', arg => {
    expect(parseTestArguments([arg])).toMatchObject({ usage: expect.stringMatching(`^${arg}: no such.*\n.*unit|cli`) });
  });
});

describe('countReport', () => {
  it('counts passed, failed and skipped tests over all files', () => {
    const report = { testResults: [file('failed', 'passed', 'failed', 'skipped'), file('passed', 'passed', 'todo')] };
    expect(countReport(report, 1)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it('counts a file that does not load as a failure', () => {
    expect(countReport({ testResults: [file('failed'), file('passed', 'passed')] }, 1)).toMatchObject({ failed: 1 });
  });

  it('counts an error outside every test as a failure', () => {
    expect(countReport({ testResults: [file('passed', 'passed')] }, 1)).toMatchObject({ passed: 1, failed: 1 });
  });

  it.each([
    ['without a report', undefined],
    ['without a test', { testResults: [] }],
    ['whose tests are all skipped', { testResults: [file('passed', 'skipped')] }],
  ])('calls a run %s a failure', (_, report) => {
    expect(countReport(report, 0)).toMatchObject({ failed: 1 });
  });
});

describe('countTestCalls', () => {
  it('counts tests of every form and nothing else', () => {
    const source = `
describe('x', () => {
  it('one', () => {});
  it.each([1, 2])('two %s', () => {});
  test.skipIf(process.platform === 'win32')('three', () => {});
  // it('not this', () => {});
  split('nor this');
});`;
    expect(countTestCalls(source)).toBe(3);
  });
});

describe('countSourceTests', () => {
  it('counts a suite without a folder, or a command, as one', () => {
    const [first] = suites;
    expect(countSourceTests('/nowhere', first!)).toBe(1);
    expect(countSourceTests('/nowhere', { ...first!, kind: 'vitest' })).toBe(1);
  });
});

describe('formatCounts', () => {
  it('writes the closing line', () => {
    const total = addCounts([
      { passed: 1, failed: 0, skipped: 2 },
      { passed: 3, failed: 4, skipped: 0 },
    ]);
    expect(formatCounts(total)).toBe('4 passed, 4 failed, 2 skipped');
  });
});
