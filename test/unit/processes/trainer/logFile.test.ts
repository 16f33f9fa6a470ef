import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogFile } from '../../../../src/processes/trainer/logFile.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

describe('LogFile', () => {
  it('writes each line with its time and keeps what others append', () => {
    const run = temporaryFolder();
    const log = new LogFile(run);
    log.write('first\nsecond\n');
    appendFileSync(join(run, 'log.txt'), 'from a library\n');
    log.write('third');
    log.close();
    const lines = readFileSync(join(run, 'log.txt'), 'utf8').trim().split('\n');
    expect(lines.map(line => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, ''))).toEqual([
      'first',
      'second',
      'from a library',
      'third',
    ]);
  });

  it('moves what is too long to a second file and goes on in an empty one', () => {
    const run = temporaryFolder();
    const log = new LogFile(run, 500);
    for (let i = 0; i < 12; i++) log.write(`line ${i} ${'x'.repeat(40)}`);
    log.close();
    const [now, before] = ['log.txt', 'log.1.txt'].map(name => readFileSync(join(run, name), 'utf8'));
    expect(`${before}${now}`.match(/line \d+/g)).toEqual(Array.from({ length: 12 }, (_, i) => `line ${i}`));
    expect(statSync(join(run, 'log.txt')).size).toBeLessThan(600);
  });

  it('names the file when it cannot be opened', () => {
    const run = temporaryFolder();
    mkdirSync(join(run, 'log.txt'));
    expect(() => new LogFile(run)).toThrow(
      expect.objectContaining({ code: 'not-writable', file: join(run, 'log.txt') }),
    );
  });

  it('does not end a run because the log cannot be written', () => {
    const run = temporaryFolder();
    const log = new LogFile(run);
    log.close();
    expect(() => log.write('into a closed file')).not.toThrow();
    expect(log.lastProblem).toMatchObject({ code: 'EBADF' });
    expect(existsSync(join(run, 'log.1.txt'))).toBe(false);
  });
});
