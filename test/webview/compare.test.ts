import { describe, expect, it } from 'vitest';
import { type CompareMessage, type CompareState, compareMessageSchema } from '../../src/shared/pages.ts';
import { tokenF1 } from '../../src/shared/tokenF1.ts';
import { findOverflow, readControls } from './accessibility.ts';
import { drawn, type OpenPage } from './openPage.ts';
import { usePage } from './pageTest.ts';
import { compareSnapshots } from './snapshots/compare.ts';
import { themes } from './themes.ts';

const open = usePage('compare', 1000);
const show = (compare: OpenPage, state: CompareState) => compare.show({ type: 'compare/state', state });
const button = (compare: OpenPage, name: string) => compare.page.getByRole('button', { name, exact: true });
const answer = (compare: OpenPage, kind: string) => compare.page.locator(`[data-answer="${kind}"]`);
const prompt = (compare: OpenPage) => compare.page.locator('.prompt-box textarea');

/** What the page sent after it was ready, each message accepted by the host's schema. */
async function asked(compare: OpenPage): Promise<CompareMessage[]> {
  await drawn(compare.page);
  const all = (await compare.sent()).map(message => compareMessageSchema.parse(message));
  return all.filter(({ type }) => type !== 'page/ready');
}
async function waitForSent(compare: OpenPage, type: CompareMessage['type']): Promise<CompareMessage> {
  await compare.page.waitForFunction(
    wanted => window.fakeHost.sent.some(message => (message as { type: string }).type === wanted),
    type,
  );
  return (await asked(compare)).findLast(message => message.type === type)!;
}

describe('compare page', () => {
  for (const theme of Object.values(themes)) {
    it(`draws every state in ${theme.name} without complaint or overflow`, async () => {
      const compare = await open('none', { theme: theme.name });
      for (const [name, state] of Object.entries(compareSnapshots)) {
        await show(compare, state);
        await compare.screenshot(`compare-${name}`);
        expect(await findOverflow(compare.page), name).toEqual([]);
        expect(compare.complaints, name).toEqual([]);
      }
      await compare.close();
    });
  }

  for (const width of [400, 700, 1400]) {
    it(`fits a panel ${width} px wide, the best prompt open`, async () => {
      const compare = await open('answered', { width, theme: width === 700 ? 'light' : 'dark' });
      await compare.page.locator('summary').click();
      await drawn(compare.page);
      await compare.screenshot('compare-open');
      expect(await findOverflow(compare.page)).toEqual([]);
      await compare.close();
    });
  }

  it('stands the answers side by side, and one below the other where it is narrow', async () => {
    for (const [width, rows] of [
      [1000, 1],
      [500, 3],
    ] as const) {
      const compare = await open('answered', { width });
      const tops = await compare.page.locator('.answer').evaluateAll(all => all.map(e => e.getBoundingClientRect().y));
      expect(new Set(tops).size).toBe(rows);
      await compare.close();
    }
  });

  it('grows an answer as it is written and shows what it took', async () => {
    const compare = await open('streaming');
    const text = answer(compare, 'adapter').locator('.answer-text');
    expect(await text.textContent()).toBe('Anaemia is caused by too');
    expect(await answer(compare, 'prompted').textContent()).toContain('Waiting for its turn');
    const { streaming } = compareSnapshots;
    const longer = { ...streaming.answers.adapter, text: 'Anaemia is caused by too few' };
    await show(compare, { ...streaming, answers: { ...streaming.answers, adapter: longer } });
    expect(await text.textContent()).toBe('Anaemia is caused by too few');
    await show(compare, compareSnapshots.answered);
    const stats = await answer(compare, 'adapter').locator('.answer-stats').textContent();
    expect(stats).toBe('first token 91 ms · 85 tokens/s · 17 tokens · prompt 14 tokens');
    expect(await answer(compare, 'base').locator('.answer-stats').textContent()).toContain('cut at the limit');
    await compare.close();
  });

  it('scores each answer against the reference, only while the prompt is the row’s question', async () => {
    const compare = await open('answered');
    const { heldOut, answers } = compareSnapshots.answered;
    const badges = () => compare.page.locator('.answer .badge:visible').allTextContents();
    const f1 = (kind: keyof CompareState['answers']) =>
      `F1 ${tokenF1(answers[kind].text, heldOut!.row.reference).toFixed(2)}`;
    expect(await badges()).toEqual([f1('base'), f1('prompted'), f1('adapter')]);
    expect(await compare.page.getByText(heldOut!.row.reference).isVisible()).toBe(true);
    await show(compare, compareSnapshots.ownQuestion);
    expect(await badges()).toEqual([]);
    expect(await compare.page.getByText(heldOut!.row.reference).isVisible()).toBe(false);
    await button(compare, 'Use its question').click();
    expect((await asked(compare)).at(-1)).toEqual({ type: 'compare/heldOut', index: 4 });
    await compare.close();
  });

  it('asks on Run and on Ctrl+Enter, and cancels', async () => {
    const compare = await open('noAdapter');
    expect(await button(compare, 'Run').isDisabled()).toBe(true);
    expect(await button(compare, 'Cancel').isDisabled()).toBe(true);
    await prompt(compare).fill('Why?');
    await button(compare, 'Run').click();
    await prompt(compare).press('Control+Enter');
    expect(await asked(compare)).toEqual([
      { type: 'compare/prompt', prompt: 'Why?' },
      { type: 'compare/run' },
      { type: 'compare/run' },
    ]);
    await show(compare, compareSnapshots.streaming);
    expect(await button(compare, 'Run').isDisabled()).toBe(true);
    await button(compare, 'Cancel').click();
    expect((await asked(compare)).at(-1)).toEqual({ type: 'compare/cancel' });
    await compare.close();
  });

  it('never takes a prompt away that is being typed while answers stream in', async () => {
    const compare = await open('answered');
    await prompt(compare).fill('What else');
    for (let i = 0; i < 3; i++) await show(compare, compareSnapshots.streaming);
    await prompt(compare).pressSequentially(' causes it?');
    expect(await prompt(compare).inputValue()).toBe('What else causes it?');
    await compare.close();
  });

  it('steps through the held-out rows up to both ends', async () => {
    const compare = await open('idle');
    await button(compare, 'Next held-out row').click();
    await button(compare, 'Previous held-out row').click();
    expect(await asked(compare)).toEqual([
      { type: 'compare/heldOut', index: 5 },
      { type: 'compare/heldOut', index: 3 },
    ]);
    const { heldOut } = compareSnapshots.idle;
    await show(compare, { ...compareSnapshots.idle, heldOut: { total: 5, row: { ...heldOut!.row, index: 4 } } });
    expect(await button(compare, 'Next held-out row').isDisabled()).toBe(true);
    await show(compare, { ...compareSnapshots.idle, heldOut: { total: 5, row: { ...heldOut!.row, index: 0 } } });
    expect(await button(compare, 'Previous held-out row').isDisabled()).toBe(true);
    await compare.close();
  });

  it('sends decoding settings only when all are right', async () => {
    const compare = await open('idle');
    const field = (name: string) => compare.page.locator(`[data-setting="${name}"]`);
    await field('temperature').locator('input').fill('9');
    expect(await field('temperature').locator('.field-error').textContent()).toBe('expected a number from 0 to 5');
    await field('maxTokens').locator('input').fill('64');
    expect(await asked(compare)).toEqual([]);
    await field('temperature').locator('input').fill('0.7');
    expect(await asked(compare)).toEqual([{ type: 'compare/settings', maxTokens: 64, temperature: 0.7, seed: 42 }]);
    await compare.close();
  });

  it('switches the adapter and does not jump back while the host catches up', async () => {
    const compare = await open('idle');
    const dropdown = compare.page.locator('.adapter-picker vscode-dropdown');
    await dropdown.click();
    await compare.page.getByRole('option', { name: 'rank-8' }).click();
    const second = compareSnapshots.idle.adapters[1]!.run;
    expect((await asked(compare)).at(-1)).toEqual({ type: 'compare/adapter', run: second });
    await show(compare, compareSnapshots.idle);
    expect(await dropdown.evaluate((element: HTMLElement & { value?: string }) => element.value)).toBe(second);
    await compare.close();
  });

  it('shows the best prompt with the score of each k, and searches it', async () => {
    const compare = await open('idle');
    await compare.page.locator('summary').click();
    const scores = await compare.page.locator('.score').allTextContents();
    expect(scores).toEqual(['0 ex.0.182', '2 ex.0.311chosen', '4 ex.0.297', '8 ex.0.254']);
    await button(compare, 'Search best prompt').click();
    expect((await asked(compare)).at(-1)).toEqual({ type: 'compare/searchPrompt' });
    await show(compare, compareSnapshots.searching);
    expect(await compare.page.getByText('Scoring prompts: 3 of 64').isVisible()).toBe(true);
    await compare.close();
  });

  it('sends the best prompt as it is edited, before the next run', async () => {
    const compare = await open('idle');
    await compare.page.locator('summary').click();
    const examples = compareSnapshots.idle.bestPrompt!.examples;
    await compare.page.locator('.example textarea').nth(1).fill('A disease.');
    await show(compare, compareSnapshots.streaming);
    expect(await compare.page.locator('.example textarea').nth(1).inputValue()).toBe('A disease.');
    const edit = await waitForSent(compare, 'compare/editPrompt');
    expect(edit).toEqual({
      type: 'compare/editPrompt',
      system: compareSnapshots.idle.bestPrompt!.system,
      examples: [{ ...examples[0], answer: 'A disease.' }, examples[1]],
    });
    await show(compare, compareSnapshots.idle);
    await button(compare, 'Remove example 1').click();
    await button(compare, 'Run').click();
    const sent = await asked(compare);
    expect(sent.slice(-2)).toEqual([
      { type: 'compare/editPrompt', system: compareSnapshots.idle.bestPrompt!.system, examples: [examples[1]] },
      { type: 'compare/run' },
    ]);
    await compare.close();
  });

  it('adds an example of one’s own', async () => {
    const compare = await open('noPrompt');
    await compare.page.locator('summary').click();
    await button(compare, 'Add example').click();
    await compare.page.keyboard.type('Who?');
    const edit = await waitForSent(compare, 'compare/editPrompt');
    expect(edit).toEqual({
      type: 'compare/editPrompt',
      system: '',
      examples: [{ question: 'Who?', answer: '', line: 0 }],
    });
    await compare.close();
  });

  it('names every control and says when answers are there', async () => {
    const compare = await open('answered');
    await compare.page.locator('summary').click();
    await drawn(compare.page);
    const controls = await readControls(compare.page);
    expect(controls.filter(control => ['', 'Icon Button', 'Text area'].includes(control.name))).toEqual([]);
    expect(controls.find(control => control.role === 'combobox')?.name).toBe('Tuned adapter');
    expect(await compare.page.locator('.answers > [role="status"]').textContent()).toBe('3 of 3 answers are there.');
    await compare.close();
  });
});
