import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { JournalStudy } from '../../../../src/core/search/journalStudy.ts';
import { BuiltInStudy, endHalfMadeTrials, settingsOf } from '../../../../src/core/search/study.ts';
import type { SearchParameter } from '../../../../src/shared/searchRecord.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const space: SearchParameter[] = [
  { name: 'learningRate', distribution: { kind: 'real', low: 1e-5, high: 1e-1, log: true } },
  { name: 'rank', distribution: { kind: 'integer', low: 4, high: 64, log: true } },
];
const settings = {
  space,
  sampler: 'random',
  pruner: 'none',
  budget: { trials: 5, minutes: null, tokens: null },
  seed: 1,
};

describe('endHalfMadeTrials', () => {
  it('ends trials that a kill left without some of their settings, and lets settings that were asked for wait again', async () => {
    const place = {
      path: join(temporaryFolder(), 'journal'),
      name: 'search',
      direction: 'minimize',
      metric: 'x',
    } as const;
    const killed = await JournalStudy.open(place);
    const whole = await new BuiltInStudy(killed, settings).ask();
    await killed.enqueue({ learningRate: 0.01, rank: 16 });
    const half = await killed.begin();
    await killed.setParameter(half, 'learningRate', { internal: 0.01, distribution: space[0]!.distribution });
    const empty = await killed.begin();

    const journal = await JournalStudy.open(place);
    await endHalfMadeTrials(journal, space);
    const states = journal.trials().map(({ state }) => state);
    expect([whole, half, empty].map(({ number }) => states[number])).toEqual(['running', 'failed', 'failed']);
    expect(states.slice(3)).toEqual(['waiting']);
    const next = await new BuiltInStudy(journal, settings).ask();
    expect(Object.fromEntries(settingsOf(next))).toEqual({ learningRate: '0.01', rank: '16' });
    await endHalfMadeTrials(journal, space);
    expect(journal.trials().filter(({ state }) => state === 'failed')).toHaveLength(2);
  });
});
