import { appendFileSync, existsSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromOptunaJson, toOptunaJson } from '../../../../src/core/search/distributions.ts';
import { JournalFile } from '../../../../src/core/search/journalFile.ts';
import { parseOperation, printOperation } from '../../../../src/core/search/journalLines.ts';
import { JournalStudy } from '../../../../src/core/search/journalStudy.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const open = (path: string) => JournalStudy.open({ path, name: 'study', direction: 'minimize', metric: 'loss' });
const rank = { kind: 'integer', low: 4, high: 64, log: true } as const;

describe('printOperation', () => {
  const value = fc.oneof(
    fc.double(),
    fc.string(),
    fc.constantFrom('NaN', '"NaN"', '\\"Infinity', '-Infinity', '\u0000bare:NaN'.slice(1)),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.array(fc.oneof(fc.double(), fc.string())),
    fc.constant(null),
  );

  it('is read back as it was, bare NaN and Infinity and texts that look like them included', () => {
    const operations = fc.record({ op_code: fc.nat(10), worker_id: fc.string(), value, more: fc.record({ value }) });
    fc.assert(
      fc.property(operations, operation => {
        const line = printOperation(operation);
        expect(line).not.toContain('\n');
        // JSON knows no negative zero, and compared as JSON an infinity would be a null.
        const print = (value: unknown) =>
          JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' ? `n${v}` : v));
        expect(print(parseOperation(line))).toBe(print(operation));
      }),
    );
  });

  it("reads what Python's json writes", () => {
    const line = '{"op_code":7,"worker_id":"a-1","trial_id":0,"step":1,"intermediate_value":NaN}';
    expect(parseOperation(line)).toMatchObject({ intermediate_value: Number.NaN });
    expect(parseOperation('{"op_code":6,"worker_id":"a","values":[-Infinity],"name":"Infinity"}')).toMatchObject({
      values: [Number.NEGATIVE_INFINITY],
      name: 'Infinity',
    });
    for (const broken of ['', '{"op_code":7', '[]', 'null', '{"op_code":7}'])
      expect(parseOperation(broken)).toBeUndefined();
  });
});

describe('toOptunaJson', () => {
  it('is read back as it was', () => {
    const range = fc.tuple(fc.double({ min: 1e-9, max: 1, noNaN: true }), fc.double({ min: 2, max: 1e9, noNaN: true }));
    const real = fc.tuple(range, fc.boolean()).map(([[low, high], log]) => ({ kind: 'real' as const, low, high, log }));
    const choice = fc.array(fc.string(), { minLength: 1 }).map(choices => ({ kind: 'choice' as const, choices }));
    fc.assert(
      fc.property(fc.oneof(real, choice, fc.constant(rank)), distribution => {
        expect(fromOptunaJson(toOptunaJson(distribution))).toEqual(distribution);
      }),
    );
  });
});

describe('JournalStudy', () => {
  it('is the same to whoever opens it again', async () => {
    const path = join(temporaryFolder(), 'optuna.journal');
    const study = await open(path);
    await study.enqueue({ rank: 16 });
    const first = await study.begin();
    expect(first.systemAttributes.get('fixed_params')).toEqual({ rank: 16 });
    await study.setParameter(first, 'rank', { internal: 16, distribution: rank });
    await study.report(first, 25, 2.5);
    await study.end(first, 'complete', 2);
    const second = await study.begin();
    await study.setUserAttribute(second, 'run', 'x');
    expect([first.number, second.number]).toEqual([0, 1]);
    const again = (await open(path)).trials();
    expect(again).toEqual(study.trials());
    expect(again[0]).toMatchObject({ state: 'complete', value: 2, intermediate: new Map([[25, 2.5]]) });
    expect(again[1]).toMatchObject({ state: 'running', userAttributes: new Map([['run', 'x']]) });
  });

  it('loses nothing when several write at once, and gives a waiting trial to one of them', async () => {
    const path = join(temporaryFolder(), 'optuna.journal');
    await (await open(path)).enqueue({ rank: 8 });
    const writers = await Promise.all(Array.from({ length: 4 }, () => open(path)));
    const trials = await Promise.all(
      writers.map(async writer => {
        const own = [];
        for (let i = 0; i < 5; i++) {
          const trial = await writer.begin();
          await writer.end(trial, 'complete', i);
          own.push(trial.number);
        }
        return own;
      }),
    );
    expect(trials.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect((await open(path)).trials().every(({ state }) => state === 'complete')).toBe(true);
  });

  it('changes nothing that has ended', async () => {
    const study = await open(join(temporaryFolder(), 'optuna.journal'));
    const trial = await study.begin();
    await study.end(trial, 'pruned');
    await study.report(trial, 50, 1);
    await study.end(trial, 'complete', 1);
    expect(study.trials()[0]).toMatchObject({ state: 'pruned', intermediate: new Map() });
  });
});

describe('JournalFile', () => {
  const operation = { op_code: 3, worker_id: 'w', study_id: 0, system_attr: { note: 'x' } };

  it('cuts off what a writer left half-written before it appends', async () => {
    const path = join(temporaryFolder(), 'journal');
    const file = new JournalFile(path);
    await file.append([operation]);
    appendFileSync(path, '{"op_code":7,"worker_');
    await file.append([operation]);
    expect(file.readNew()).toEqual([operation, operation]);
    expect(readFileSync(path, 'utf8').endsWith('\n')).toBe(true);
  });

  it('waits for the lock of another writer, and leaves none behind', async () => {
    const path = join(temporaryFolder(), 'journal');
    const file = new JournalFile(path);
    symlinkSync(path, `${path}.lock`);
    let isDone = false;
    const appended = file.append([operation]).then(() => {
      isDone = true;
    });
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(isDone).toBe(false);
    unlinkSync(`${path}.lock`);
    await appended;
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('names the file when a line is none of a journal', () => {
    const path = join(temporaryFolder(), 'journal');
    const file = new JournalFile(path);
    appendFileSync(path, 'hello\n');
    expect(() => file.readNew()).toThrow(/expected a line of Optuna's journal, got hello/);
  });
});
