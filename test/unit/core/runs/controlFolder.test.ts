import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  answerControl,
  closeControlRequests,
  readControlAnswer,
  requestControl,
  takeControlRequests,
} from '../../../../src/core/runs/controlFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

describe('takeControlRequests', () => {
  it('takes each request once, marks it as seen, and lets it be answered', () => {
    const run = temporaryFolder();
    expect(takeControlRequests(run)).toEqual([]);
    const id = requestControl(run, 'pause');
    expect(takeControlRequests(run)).toEqual([{ id, type: 'pause' }]);
    expect(takeControlRequests(run)).toEqual([]);
    expect(readdirSync(join(run, 'control')).sort()).toEqual([`${id}.json`, `${id}.seen.json`]);
    expect(readControlAnswer(run, id)).toBeUndefined();
    answerControl(run, id, { ok: true });
    expect(readControlAnswer(run, id)).toEqual({ ok: true });
  });

  it('answers a file that is no request with an error, and leaves foreign files alone', () => {
    const run = temporaryFolder();
    mkdirSync(join(run, 'control'));
    writeFileSync(join(run, 'control', 'odd.json'), '{"type":"format-disk"}');
    writeFileSync(join(run, 'control', 'notes.txt'), 'mine');
    expect(takeControlRequests(run)).toEqual([]);
    expect(readControlAnswer(run, 'odd')).toMatchObject({ error: { code: 'run-invalid' } });
    expect(takeControlRequests(run)).toEqual([]);
  });
});

describe('closeControlRequests', () => {
  it('answers everything that is open', () => {
    const run = temporaryFolder();
    closeControlRequests(run, { ok: true });
    const [seen, unseen] = [requestControl(run, 'stop'), 'later'];
    takeControlRequests(run);
    writeFileSync(join(run, 'control', 'later.json'), '{"type":"pause"}');
    closeControlRequests(run, { error: { code: 'process-ended', message: 'gone' } });
    for (const id of [seen, unseen])
      expect(readControlAnswer(run, id)).toMatchObject({ error: { code: 'process-ended' } });
    expect(takeControlRequests(run)).toEqual([]);
  });
});
