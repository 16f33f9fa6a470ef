import { describe, expect, it } from 'vitest';
import { type EvaluationMessage, evaluationMessageSchema } from '../../src/shared/pages.ts';
import { findOverflow, readControls } from './accessibility.ts';
import { drawn, type OpenPage } from './openPage.ts';
import { usePage } from './pageTest.ts';
import { evaluationSnapshots } from './snapshots/evaluation.ts';
import { themes } from './themes.ts';

const open = usePage('evaluation', 1000);

/** What the page sent after it was ready, each message accepted by the host's schema. */
async function asked(evaluation: OpenPage): Promise<EvaluationMessage[]> {
  await drawn(evaluation.page);
  return (await evaluation.sent())
    .map(message => evaluationMessageSchema.parse(message))
    .filter(({ type }) => type !== 'page/ready');
}

describe('evaluation page', () => {
  for (const theme of Object.values(themes)) {
    it(`draws every state in ${theme.name} without complaint or overflow`, async () => {
      const evaluation = await open('none', { theme: theme.name });
      for (const [name, state] of Object.entries(evaluationSnapshots)) {
        await evaluation.show({ type: 'evaluation/state', state });
        await evaluation.screenshot(`evaluation-${name}`);
        expect(await findOverflow(evaluation.page), name).toEqual([]);
        expect(evaluation.complaints, name).toEqual([]);
      }
      await evaluation.close();
    });
  }

  it('fits a narrow column', async () => {
    const evaluation = await open('longNames', { width: 400 });
    expect(await findOverflow(evaluation.page)).toEqual([]);
    await evaluation.close();
  });

  it('shows figures with intervals, marks the best, and says how sure a difference is', async () => {
    const { page, close } = await open('finished');
    expect(await page.locator('.candidate').allTextContents()).toEqual([
      'Base model',
      'Base with its best prompt',
      'medquad-1f3a',
    ]);
    const best = await page.locator('tr:has-text("medquad-1f3a") td.is-best').count();
    expect(best).toBe(8);
    expect(await page.locator('[aria-label="Differences"] [data-verdict="better"]').count()).toBeGreaterThan(3);
    expect(await page.locator('[aria-label="Differences"]').textContent()).toContain('41 / 20 / 19');
    await close();
  });

  it('marks the words that differ from the reference', async () => {
    const { page, close } = await open('opened');
    const answer = page.locator('.answer-text').last();
    expect(await answer.locator('ins').allTextContents()).toEqual(['vomiting']);
    expect((await answer.locator('del').allTextContents()).join('')).toContain('headache');
    await close();
  });

  it('asks for a row, for a filter, and for the report', async () => {
    const evaluation = await open('finished');
    await evaluation.page.getByRole('button', { name: 'Open the answers to line 4', exact: true }).click();
    await evaluation.page.getByRole('button', { name: 'Next' }).click();
    await evaluation.page.getByRole('button', { name: 'Open report' }).click();
    expect(await asked(evaluation)).toEqual([
      { type: 'evaluation/openRow', row: 1 },
      {
        type: 'evaluation/filter',
        filter: { candidate: 'adapter-1', opponent: 'prompted', choice: 'all', offset: 25 },
      },
      { type: 'evaluation/report' },
    ]);
    await evaluation.close();
  });

  it('names every control for a screen reader', async () => {
    const evaluation = await open('opened');
    expect((await readControls(evaluation.page)).filter(({ name }) => name === '')).toEqual([]);
    await evaluation.close();
  });
});
