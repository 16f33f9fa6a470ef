import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dropForgottenRuns } from '../../../../../src/core/jobs/search/trialRuns.ts';
import { createRunFolder } from '../../../../../src/core/runs/runStore.ts';
import { JournalStudy } from '../../../../../src/core/search/journalStudy.ts';
import { BuiltInStudy } from '../../../../../src/core/search/study.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { tinyRequest } from '../../../../support/tinyRequest.ts';

describe('dropForgottenRuns', () => {
  it('drops what neither a trial nor the winner names, and passes over runs that are damaged', async () => {
    const folder = temporaryFolder();
    const request = tinyRequest(folder);
    const make = (name: string, parents: string[]) =>
      createRunFolder(join(folder, 'store'), { ...request, name, parents }, new Date(0)).path;
    const search = make('search', []);
    const ours = [basename(search)];
    const [trialRun, winnerRun, forgotten] = [make('trial', ours), make('winner', ours), make('forgotten', ours)];
    const [stranger, noRequest, noStatus] = [make('stranger', []), make('no-request', ours), make('no-status', ours)];
    writeFileSync(join(noRequest, 'request.json'), '{');
    writeFileSync(join(noStatus, 'status.json'), '{');

    const place = {
      path: join(search, 'optuna.journal'),
      name: 'search',
      direction: 'minimize',
      metric: 'loss',
    } as const;
    const study = new BuiltInStudy(await JournalStudy.open(place), {
      space: [],
      sampler: 'random',
      pruner: 'none',
      budget: { trials: 1, minutes: null, tokens: null },
      seed: 1,
    });
    await study.name(await study.ask(), basename(trialRun));
    const winner = { trial: 0, run: basename(winnerRun), retrained: true, testLossNats: null, baseTestLossNats: null };

    dropForgottenRuns(search, { study, winner: { ...winner, testRows: 0 } });
    expect(existsSync(forgotten)).toBe(false);
    for (const kept of [search, trialRun, winnerRun, stranger, noRequest, noStatus])
      expect(existsSync(kept)).toBe(true);
  });
});
