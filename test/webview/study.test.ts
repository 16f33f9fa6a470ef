import { describe, expect, it } from 'vitest';
import { type StudyMessage, type StudyState, studyMessageSchema } from '../../src/shared/pages.ts';
import { findOverflow, readControls } from './accessibility.ts';
import { drawn, type OpenPage } from './openPage.ts';
import { usePage } from './pageTest.ts';
import { makeTrials, studySnapshots } from './snapshots/study.ts';
import { themes } from './themes.ts';

const open = usePage('study', 1000);
const show = (study: OpenPage, state: StudyState) => study.show({ type: 'study/state', state });

/** What the page sent after it was ready, each message accepted by the host's schema. */
async function asked(study: OpenPage): Promise<StudyMessage[]> {
  await drawn(study.page);
  return (await study.sent())
    .map(message => studyMessageSchema.parse(message))
    .filter(({ type }) => type !== 'page/ready');
}

describe('study page', () => {
  for (const theme of Object.values(themes)) {
    it(`draws every state in ${theme.name} without complaint or overflow`, async () => {
      const study = await open('none', { theme: theme.name });
      for (const [name, state] of Object.entries(studySnapshots)) {
        await show(study, state);
        await study.screenshot(`study-${name}`);
        expect(await findOverflow(study.page), name).toEqual([]);
        expect(study.complaints, name).toEqual([]);
      }
      await study.close();
    });
  }

  it('draws a line for each trial, the best so far, and every curve over the others', async () => {
    const study = await open('finished');
    const { trials } = studySnapshots.finished!.study!;
    expect(await study.page.locator('polyline.trial-line').count()).toBe(12);
    expect(await study.page.locator('polyline.trial-best').getAttribute('data-trial')).toBe('0');
    const charts = await study.page.evaluate(() => window.__tuningForkStudy!);
    expect(charts.history[0]).toEqual(trials.filter(({ value }) => value !== null).map(({ number }) => number));
    const bests = charts.history[2] as number[];
    expect(bests).toEqual(bests.map((_, i) => Math.min(...(charts.history[1] as number[]).slice(0, i + 1))));
    expect(charts.curves).toHaveLength(13);
    expect([...charts.curves[4]!].filter(value => value === null)).toHaveLength(5);
    expect(await study.page.locator('.chart canvas').count()).toBe(2);
    await study.close();
  });

  it('picks a trial out in table and drawing, and opens its run', async () => {
    const study = await open('finished');
    await study.page.getByRole('button', { name: 'Pick out trial 5' }).click();
    expect(await study.page.locator('polyline.trial-selected').getAttribute('data-trial')).toBe('5');
    await study.page.getByRole('button', { name: 'Open the run of trial 2' }).click();
    expect(await asked(study)).toEqual([{ type: 'study/openTrial', run: makeTrials(3)[2]!.run }]);
    await study.close();
  });

  it('offers what the state of the search allows', async () => {
    const study = await open('running');
    const press = (name: string) => study.page.getByRole('button', { name, exact: true }).click();
    await press('Pause');
    await press('Stop');
    await show(study, studySnapshots.paused!);
    await press('Resume');
    await show(study, studySnapshots.finished!);
    await press('Open report');
    await press('Compare the best…');
    expect(await asked(study)).toEqual([
      { type: 'study/control', action: 'pause' },
      { type: 'study/control', action: 'stop' },
      { type: 'study/control', action: 'resume' },
      { type: 'study/report' },
      { type: 'study/compare' },
    ]);
    expect((await readControls(study.page)).map(({ name }) => name)).not.toContain('');
    await study.close();
  });
});
