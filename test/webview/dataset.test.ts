import { describe, expect, it } from 'vitest';
import { type DatasetMessage, type DatasetState, datasetMessageSchema } from '../../src/shared/pages.ts';
import { findOverflow, readControls } from './accessibility.ts';
import { drawn, type OpenPage } from './openPage.ts';
import { usePage } from './pageTest.ts';
import { datasetSnapshots } from './snapshots/dataset.ts';
import { themes } from './themes.ts';

const open = usePage('dataset', 900);
const show = (dataset: OpenPage, state: DatasetState) => dataset.show({ type: 'dataset/state', state });

/** What the page sent after it was ready, each message accepted by the host's schema. */
async function asked(dataset: OpenPage): Promise<DatasetMessage[]> {
  await drawn(dataset.page);
  return (await dataset.sent())
    .map(message => datasetMessageSchema.parse(message))
    .filter(({ type }) => type !== 'page/ready');
}

describe('dataset page', () => {
  for (const theme of Object.values(themes)) {
    it(`draws every state in ${theme.name} without complaint or overflow`, async () => {
      const dataset = await open('none', { theme: theme.name });
      for (const [name, state] of Object.entries(datasetSnapshots)) {
        await show(dataset, state);
        await dataset.screenshot(`dataset-${name}`);
        expect(await findOverflow(dataset.page), name).toEqual([]);
        expect(dataset.complaints, name).toEqual([]);
      }
      await dataset.close();
    });
  }

  it('opens the line of a finding', async () => {
    const dataset = await open('whole');
    await dataset.page.getByText('Personal data', { exact: true }).click();
    await dataset.page.getByRole('button', { name: 'line 77' }).click();
    expect(await asked(dataset)).toEqual([{ type: 'dataset/openLine', file: datasetSnapshots.whole.path, line: 77 }]);
    await dataset.close();
  });

  it('draws a bar for each bin, those beyond the context apart, and the line of the context', async () => {
    const dataset = await open('whole');
    const { counts, edges, contextTokens } = datasetSnapshots.whole.lengths;
    expect(await dataset.page.locator('.length-bar').count()).toBe(counts.length);
    const over = edges.slice(0, -1).filter(edge => edge >= contextTokens).length;
    expect(await dataset.page.locator('.length-bar.is-over').count()).toBe(over);
    expect(await dataset.page.locator('.context-line').count()).toBe(1);
    await dataset.close();
  });

  it('takes decisions by keys: accept, reject, and an edit of the answer with a note', async () => {
    const dataset = await open('whole');
    const { rows } = datasetSnapshots.whole.review;
    await dataset.page.keyboard.press('a');
    await dataset.page.keyboard.press('ArrowRight');
    await dataset.page.keyboard.press('r');
    await dataset.page.keyboard.press('ArrowRight');
    await dataset.page.keyboard.press('e');
    await dataset.page.getByRole('textbox', { name: 'Answer as it is to be' }).fill('There is no soup.');
    // Letters in a field are letters.
    await dataset.page.getByRole('textbox', { name: 'Note' }).pressSequentially('are');
    await dataset.page.getByRole('button', { name: 'Save edit' }).click();
    const nothing = { note: '', answer: null };
    expect(await asked(dataset)).toEqual([
      { type: 'dataset/decide', key: rows[0]!.key, decision: 'accept', ...nothing },
      { type: 'dataset/decide', key: rows[1]!.key, decision: 'reject', ...nothing },
      { type: 'dataset/decide', key: rows[2]!.key, decision: 'edit', note: 'are', answer: 'There is no soup.' },
    ]);
    expect((await readControls(dataset.page)).map(({ name }) => name)).not.toContain('');
    await dataset.close();
  });

  it('asks for other rows: a state, and the next page behind the last row', async () => {
    const dataset = await open('whole');
    await dataset.page.getByRole('button', { name: 'Rejected 5' }).click();
    for (let row = 0; row < 20; row++) await dataset.page.keyboard.press('ArrowRight');
    expect(await asked(dataset)).toEqual([
      { type: 'dataset/showReview', state: 'reject', offset: 0 },
      { type: 'dataset/showReview', state: 'pending', offset: 20 },
    ]);
    await dataset.close();
  });
});
