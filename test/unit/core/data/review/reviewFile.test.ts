import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addDecisions, readReview, reviewPath } from '../../../../../src/core/data/review/reviewFile.ts';
import { ReviewStates, rowKey } from '../../../../../src/core/data/review/reviewRows.ts';
import type { ReviewLine } from '../../../../../src/shared/review.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const keyOf = (row: number) => row.toString(16).padStart(16, '0');
const decide = (row: number, day: number, rest: Partial<ReviewLine> = {}): ReviewLine => ({
  row: keyOf(row),
  at: `2026-03-0${day}T10:00:00.000Z`,
  decision: 'accept',
  reviewer: 'ada',
  ...rest,
});

describe('addDecisions', () => {
  it('keeps every decision, of which the latest counts', () => {
    const path = join(temporaryFolder(), 'rows.jsonl.review.jsonl');
    addDecisions(path, [decide(2, 3), decide(1, 2, { decision: 'reject', reviewer: 'bob', note: 'wrong dose' })]);
    addDecisions(path, [decide(1, 1), decide(2, 4, { decision: 'edit', edited: { text: 'better' } })]);
    const lines = readReview(path);
    expect(lines.map(({ row, at }) => [Number.parseInt(row, 16), at.slice(9, 10)])).toEqual([
      [1, '1'],
      [1, '2'],
      [2, '3'],
      [2, '4'],
    ]);
    const states = new ReviewStates(lines);
    expect([states.find(keyOf(1)).decision, states.find(keyOf(2)).decision]).toEqual(['reject', 'edit']);
    // Said again, as both sides of a merge have it, a decision is one.
    expect(addDecisions(path, lines)).toEqual(lines);
  });

  it('stands a merge by git: both sides are kept, whether git could tell them apart or not', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'rows.jsonl.review.jsonl');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@example.org', ...args], {
        cwd: folder,
        stdio: 'pipe',
      });
    const commit = () => git('commit', '-q', '-a', '-m', 'review');
    const branch = (name: string, lines: readonly ReviewLine[]) => {
      git('checkout', '-q', '-b', name, 'main');
      addDecisions(path, lines);
      commit();
    };
    git('init', '-q', '-b', 'main');
    addDecisions(
      path,
      [1, 5, 9].map(row => decide(row, 1)),
    );
    git('add', '.');
    commit();
    branch('apart', [decide(11, 2)]);
    branch('beside', [decide(2, 3, { decision: 'reject' })]);
    branch('own', [decide(2, 2, { reviewer: 'cy' })]);
    git('merge', '-q', '-m', 'merge', 'apart');
    expect(readFileSync(path, 'utf8')).not.toContain('<<<<<<<');
    expect(() => git('merge', '-q', 'beside')).toThrow('Command failed');
    expect(readFileSync(path, 'utf8')).toContain('<<<<<<<');
    const lines = readReview(path);
    expect(lines).toHaveLength(6);
    expect(new ReviewStates(lines).find(keyOf(2)).decision).toBe('reject');
    expect(addDecisions(path, [decide(8, 1)])).toHaveLength(7);
    expect(readFileSync(path, 'utf8')).not.toContain('<<<<<<<');
  });
});

describe('readReview', () => {
  it('refuses a line that is no decision, with its number', () => {
    const path = join(temporaryFolder(), 'rows.review.jsonl');
    const line = JSON.stringify(decide(1, 1));
    for (const broken of ['{', '{"row":"zz"}', line.replace('accept', 'edit'), line.replace('accept', 'maybe')]) {
      writeFileSync(path, `${line}\n${broken}\n`);
      expect(() => readReview(path)).toThrow(`${path}:2: expected a decision on a row`);
    }
  });

  it('finds nothing where there is no file, and no place beside a pattern', () => {
    expect(readReview(join(temporaryFolder(), 'none.review.jsonl'))).toEqual([]);
    expect(() => reviewPath('/data/*.jsonl')).toThrow('expected a file or folder to review');
    expect(reviewPath('/data/rows/')).toBe('/data/rows.review.jsonl');
    const bracketed = join(temporaryFolder(), 'rows [old] {1}.jsonl');
    writeFileSync(bracketed, '');
    expect(reviewPath(bracketed)).toBe(`${bracketed}.review.jsonl`);
  });
});

describe('ReviewStates', () => {
  it('counts a row that has become what its edit said as accepted, and decisions on rows that are gone', () => {
    const origin = { file: 'rows.jsonl', line: 1 };
    const old = { kind: 'text' as const, text: 'teh', origin };
    const mended = { kind: 'text' as const, text: 'the', origin };
    const line = decide(0, 1, { row: rowKey(old), decision: 'edit', edited: { text: 'the' } });
    const states = new ReviewStates([line]);
    expect(states.find(rowKey(old)).decision).toBe('edit');
    expect(states.find(rowKey(mended)).decision).toBe('accept');
    const counts = { rows: 2, accepted: 1, edited: 0, rejected: 0, pending: 1, orphaned: 1 };
    expect(states.count([rowKey(mended), 'f'.repeat(16)])).toEqual(counts);
  });
});
