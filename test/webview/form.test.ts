import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  defaultHyperparameters,
  hyperparameterNames,
  hyperparameterTable,
  linearLayers,
} from '../../src/shared/hyperparameters.ts';
import { type FormMessage, type FormState, formMessageSchema } from '../../src/shared/pages.ts';
import { findOverflow, readControls } from './accessibility.ts';
import { drawn, type OpenPage, screenshotFolder } from './openPage.ts';
import { usePage } from './pageTest.ts';
import { formSnapshots } from './snapshots/form.ts';
import { themes } from './themes.ts';

const open = usePage('form', 300);
const show = (form: OpenPage, state: FormState) => form.show({ type: 'form/state', state });
const input = (form: OpenPage, name: string) => form.page.locator(`[data-setting="${name}"] input`);
const start = (form: OpenPage) => form.page.locator('.start-bar vscode-button[appearance="primary"]');

/** What the page sent, each message accepted by the host's schema. */
async function sent(form: OpenPage): Promise<FormMessage[]> {
  return (await form.sent()).map(message => formMessageSchema.parse(message));
}
async function lastSent(form: OpenPage): Promise<FormMessage | undefined> {
  await drawn(form.page);
  return (await sent(form)).at(-1);
}

describe('form page', () => {
  for (const theme of Object.values(themes)) {
    it(`draws every state in ${theme.name} without complaint or overflow`, async () => {
      const form = await open('none', { theme: theme.name });
      for (const [name, state] of Object.entries(formSnapshots)) {
        await show(form, state);
        await form.screenshot(`form-${name}`);
        expect(await findOverflow(form.page), name).toEqual([]);
        expect(form.complaints, name).toEqual([]);
      }
      await form.close();
    });
  }

  for (const width of [260, 400]) {
    it(`fits a sidebar ${width} px wide, folded parts open`, async () => {
      const form = await open('broken', { width });
      for (const summary of await form.page.locator('summary').all()) await summary.click();
      await show(form, { ...formSnapshots.broken, row: formSnapshots.tokens.row });
      await form.screenshot('form-open');
      expect(await findOverflow(form.page)).toEqual([]);
      await form.close();
    });
  }

  it('says that it is ready, once', async () => {
    const form = await open('ready');
    expect(await sent(form)).toEqual([{ type: 'page/ready' }]);
    await form.close();
  });

  it('has a field for every hyperparameter and nothing else', async () => {
    const form = await open('ready');
    const names = await form.page
      .locator('.settings [data-setting]')
      .evaluateAll(fields => fields.map(field => field.getAttribute('data-setting')));
    expect(names.toSorted()).toEqual([...hyperparameterNames].sort());
    await form.close();
  });

  it('hides what has no effect beside the chosen method', async () => {
    const form = await open('ready');
    const rank = form.page.locator('[data-setting="rank"]');
    expect(await rank.isVisible()).toBe(true);
    await show(form, { ...formSnapshots.ready, values: { ...defaultHyperparameters, method: 'full' } });
    expect(await rank.isVisible()).toBe(false);
    expect(await form.page.locator('[data-setting="method"]').isVisible()).toBe(true);
    await form.close();
  });

  it('says which engine trains and why, and offers what is missing', async () => {
    const form = await open('ready');
    const card = form.page.locator('.engine-card');
    expect(await card.isVisible()).toBe(false);
    const choice = { engine: 'embedded', reason: 'There is no graphics card that PyTorch can use.' } as const;
    await show(form, { ...formSnapshots.ready, forecast: { ...formSnapshots.ready.forecast!, engine: choice } });
    expect(await card.textContent()).toContain('Trains with the embedded engine.');
    expect(await card.textContent()).toContain(choice.reason);
    expect(await card.locator('vscode-button').isVisible()).toBe(false);

    await show(form, formSnapshots.pytorchMissing);
    expect(await card.textContent()).toContain('PyTorch is not set up yet.');
    await card.locator('vscode-button').click();
    expect(await lastSent(form)).toEqual({ type: 'form/setUpPyTorch' });

    await show(form, formSnapshots.pytorchChosen);
    expect(await card.textContent()).toContain('NVIDIA H100');
    const options = form.page.locator('[data-setting="device"] vscode-option');
    const disabled = await options.evaluateAll(all =>
      all.filter(option => (option as HTMLOptionElement).disabled).map(option => (option as HTMLOptionElement).value),
    );
    expect(disabled).toEqual(['webgpu', 'dml', 'coreml']);
    expect(await form.page.locator('[data-setting="device"] .hint').textContent()).toContain('PyTorch finds CUDA');
    await show(form, formSnapshots.ready);
    expect(await options.evaluateAll(all => all.some(option => (option as HTMLOptionElement).disabled))).toBe(false);
    await form.close();
  });

  it('names the preset that the settings are, and asks for another by choosing it', async () => {
    const form = await open('pytorchChosen');
    const dropdown = form.page.locator('[data-preset] vscode-dropdown');
    const readValue = () => dropdown.evaluate(element => (element as HTMLSelectElement).value);
    expect(await readValue()).toBe('llama2-lora');
    await show(form, { ...formSnapshots.pytorchChosen, values: { ...formSnapshots.pytorchChosen.values, rank: 5 } });
    expect(await readValue()).toBe('own');
    await dropdown.click();
    await dropdown.locator('vscode-option', { hasText: 'QLoRA' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/preset', id: 'qlora' });
    await form.close();
  });

  it('chooses what an adapter starts from, and hides that where all weights are trained', async () => {
    const form = await open('ready');
    const card = form.page.getByRole('region', { name: 'Starts from' });
    const add = card.getByRole('button', { name: /Choose adapter…|Add adapter…/ });
    expect(await add.isVisible()).toBe(false);
    await card.locator('vscode-dropdown').click();
    await card.getByRole('option', { name: 'A new adapter on top of others' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/startMode', mode: 'stack' });
    await show(form, formSnapshots.startMissing);
    expect(await card.innerText()).toContain('expected an adapter to start from, got none');
    expect(await form.page.locator('.start-reason').textContent()).toContain('Starts from');
    await add.click();
    expect(await lastSent(form)).toEqual({ type: 'form/addAdapter' });
    await show(form, formSnapshots.continued);
    expect(await card.getByRole('listitem').allInnerTexts()).toEqual(['museum-rank-16']);
    await card.getByRole('button', { name: 'Remove museum-rank-16' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/removeAdapter', path: '/home/user/adapters/museum-rank-16' });
    await show(form, { ...formSnapshots.continued, values: { ...defaultHyperparameters, method: 'full' } });
    expect(await card.isVisible()).toBe(false);
    await form.close();
  });

  it('finds settings by words, folded ones too, and folds again', async () => {
    const form = await open('ready');
    const find = form.page.locator('.find-setting input');
    const visible = () =>
      form.page
        .locator('.settings [data-setting]:visible')
        .evaluateAll(all => all.map(e => e.getAttribute('data-setting')));
    const before = await visible();
    await find.fill('memory gradient average');
    expect(await visible()).toEqual(['beta1', 'beta2']);
    await form.screenshot('form-find');
    await find.fill('no such thing');
    expect(await visible()).toEqual([]);
    expect(await form.page.getByText('No setting fits these words.').isVisible()).toBe(true);
    await find.fill('');
    expect(await visible()).toEqual(before);
    await form.close();
  });

  it('says which settings suit model and data, and lets a person turn them off and on', async () => {
    const form = await open('ready');
    const card = form.page.locator('.notice', { hasText: 'suit this model and dataset' });
    expect(await card.innerText()).toMatch(/Learning rate\s+0\.004\s+Epochs\s+14\s+Context \(tokens\)\s+256/);
    await input(form, 'epochs').fill('many');
    await card.getByRole('button', { name: 'Use defaults' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/suggest', on: false });
    await show(form, { ...formSnapshots.ready, values: defaultHyperparameters });
    expect(await input(form, 'epochs').inputValue()).toBe('3');
    await form.page.getByRole('button', { name: 'Use suggested settings' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/suggest', on: true });
    await show(form, { ...formSnapshots.ready, suggestion: null });
    expect(await form.page.getByText('this model and dataset').isVisible()).toBe(false);
    await form.close();
  });

  it('takes a field filled before the first snapshot as typed over it, wrong or right', async () => {
    for (const [text, expected] of [
      ['7', '7'],
      ['', ''],
    ] as const) {
      const form = await open('none');
      await form.page.evaluate(typed => {
        // What a test or a fast machine does: the field is filled while the page still waits.
        const field = document.querySelector('[data-setting="epochs"] vscode-text-field') as HTMLElement & {
          value: string;
        };
        field.value = typed;
        field.dispatchEvent(new Event('input'));
      }, text);
      await show(form, { ...formSnapshots.ready, values: defaultHyperparameters });
      expect(await input(form, 'epochs').inputValue()).toBe(expected);
      expect(await form.page.locator('.start-reason').textContent()).toBe(
        text === '' ? 'One setting is wrong: Epochs.' : '',
      );
      await form.close();
    }
  });

  it('forgets what was wrong once leaving a field brings its value back', async () => {
    const form = await open('ready');
    await input(form, 'epochs').fill('');
    await show(form, { ...formSnapshots.ready, values: { ...formSnapshots.ready.values, epochs: 5 } });
    expect(await form.page.locator('.start-reason').textContent()).toBe('One setting is wrong: Epochs.');
    await input(form, 'rank').focus();
    await drawn(form.page);
    expect(await input(form, 'epochs').inputValue()).toBe('5');
    expect(await form.page.locator('.start-reason').textContent()).toBe('');
    await form.close();
  });

  it('draws nothing of a snapshot that it does not understand, and says so until the next one', async () => {
    const form = await open('ready');
    const broken = { ...formSnapshots.ready, runName: 'broken', models: 'none' } as unknown as FormState;
    await show(form, broken);
    expect(
      await form.page
        .getByRole('alert')
        .filter({ hasText: /does not understand.*models: Invalid input/ })
        .isVisible(),
    ).toBe(true);
    expect(await form.page.getByRole('textbox', { name: 'Run name' }).inputValue()).toBe('medical-questions');
    await form.screenshot('form-notUnderstood');
    await show(form, formSnapshots.ready);
    expect(await form.page.getByText('does not understand').isVisible()).toBe(false);
    await form.close();
  });

  it('gives every control a name, and refused ones the reason as description', async () => {
    const form = await open('refused');
    await form.page.locator('.advanced > summary').click();
    const controls = await readControls(form.page);
    expect(controls.filter(control => ['', 'Icon Button', 'Text field', 'Checkbox'].includes(control.name))).toEqual(
      [],
    );
    for (const name of ['rank', 'learningRate', 'seed', 'schedule', 'packing'] as const) {
      const { label, help } = hyperparameterTable[name];
      const control = controls.find(one => one.name === label && one.role !== 'button');
      expect(control?.description, name).toContain(help);
    }
    const rank = controls.find(control => control.name === 'LoRA rank');
    expect(rank).toMatchObject({ role: 'textbox', invalid: true });
    expect(rank?.description).toContain('expected at most 64 for this model, got 128');
    expect(controls.find(control => control.name === 'Hub id or path')?.description).toContain('(404)');
    await form.close();
  });

  it('checks a value while it is typed, sends it, and says why the run cannot start', async () => {
    const form = await open('ready');
    await input(form, 'rank').fill('0');
    expect(await lastSent(form)).toEqual({ type: 'form/set', name: 'rank', text: '0' });
    const error = form.page.locator('[data-setting="rank"] .field-error');
    expect(await error.textContent()).toBe('expected a whole number from 1 to 512, got 0');
    expect(await start(form).getAttribute('disabled')).not.toBeNull();
    expect(await form.page.locator('.start-reason').textContent()).toContain('One setting is wrong');
    await input(form, 'rank').fill('8');
    expect(await error.isVisible()).toBe(false);
    expect(await form.page.locator('.start-reason').textContent()).toBe('');
    await form.close();
  });

  it('never takes typed text away when snapshots arrive', async () => {
    const form = await open('ready');
    await input(form, 'learningRate').click();
    await input(form, 'learningRate').press('Control+a');
    await form.page.keyboard.type('3e-');
    for (let i = 0; i < 3; i++) await show(form, { ...formSnapshots.ready, forecasting: i % 2 === 0 });
    await form.page.keyboard.type('5');
    expect(await input(form, 'learningRate').inputValue()).toBe('3e-5');
    await form.page.locator('[data-setting="alpha"] input').click();
    await show(form, formSnapshots.ready);
    expect(await input(form, 'learningRate').inputValue()).toBe('3e-5');
    await show(form, { ...formSnapshots.ready, values: { ...defaultHyperparameters, learningRate: 3e-5 } });
    await show(form, { ...formSnapshots.ready, values: { ...defaultHyperparameters, learningRate: 1e-4 } });
    expect(await input(form, 'learningRate').inputValue()).toBe('1e-4');
    await form.close();
  });

  it('brings a text that is no value back after the page was hidden', async () => {
    const form = await open('ready');
    await input(form, 'epochs').fill('many');
    await form.page.reload();
    await drawn(form.page);
    expect(await input(form, 'epochs').inputValue()).toBe('many');
    expect(await form.page.locator('[data-setting="epochs"] .field-error').isVisible()).toBe(true);
    expect(await lastSent(form)).toEqual({ type: 'form/set', name: 'epochs', text: 'many' });
    await form.close();
  });

  it('marks a changed value and resets it to its default', async () => {
    const form = await open('changed');
    const rank = form.page.locator('[data-setting="rank"]');
    expect(await rank.getAttribute('class')).toContain('is-changed');
    expect(await form.page.locator('.advanced > summary').textContent()).toContain('2 changed');
    await rank.locator('.field-reset').click();
    expect(await lastSent(form)).toEqual({ type: 'form/set', name: 'rank', text: '16' });
    expect(await input(form, 'rank').inputValue()).toBe('16');
    expect(await rank.getAttribute('class')).not.toContain('is-changed');
    await form.close();
  });

  it('resets all, invalid texts included', async () => {
    const form = await open('ready');
    await input(form, 'rank').fill('many');
    await form.page.getByRole('button', { name: 'Reset all' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/reset' });
    await show(form, formSnapshots.ready);
    expect(await input(form, 'rank').inputValue()).toBe('16');
    await form.close();
  });

  it('sends choices, flags, layers, sizes and texts as the host reads them', async () => {
    const form = await open('ready');
    await form.page.locator('.advanced > summary').click();
    await form.page.locator('[data-setting="schedule"] vscode-dropdown').focus();
    await form.page.keyboard.press('ArrowDown');
    expect(await lastSent(form)).toEqual({ type: 'form/set', name: 'schedule', text: 'linear' });
    await form.page.locator('[data-setting="packing"] vscode-checkbox').press('Space');
    expect(await lastSent(form)).toEqual({ type: 'form/set', name: 'packing', text: 'false' });
    await form.page.getByRole('checkbox', { name: 'down_proj' }).click();
    expect(await lastSent(form)).toEqual({
      type: 'form/set',
      name: 'targetModules',
      text: linearLayers.filter(layer => layer !== 'down_proj').join(', '),
    });
    await input(form, 'memoryLimitBytes').fill('8 GB');
    expect(await lastSent(form)).toEqual({ type: 'form/set', name: 'memoryLimitBytes', text: String(8 * 1024 ** 3) });
    await form.page.locator('[data-setting="samplePrompts"] textarea').fill('Who?\nWhy?');
    expect(await lastSent(form)).toEqual({ type: 'form/set', name: 'samplePrompts', text: 'Who?\nWhy?' });
    await form.close();
  });

  it('picks a found model, or takes a Hub id once the typing pauses', async () => {
    const form = await open('ready');
    const dropdown = form.page.locator('[data-setting="model"] vscode-dropdown');
    await dropdown.click();
    await form.page.getByRole('option', { name: /SmolLM2/ }).click();
    const smol = formSnapshots.ready.models[1]!.id;
    expect(await lastSent(form)).toEqual({ type: 'form/model', model: smol });
    await show(form, { ...formSnapshots.ready, model: smol });
    await dropdown.click();
    await form.page.getByRole('option', { name: /Hub id/ }).click();
    await form.page.keyboard.press('Control+a');
    await form.page.keyboard.type('owner/name');
    const before = (await sent(form)).length;
    await form.page.waitForFunction(count => window.fakeHost.sent.length > count, before);
    expect((await sent(form)).slice(before)).toEqual([{ type: 'form/model', model: 'owner/name' }]);
    await show(form, { ...formSnapshots.ready, model: 'owner/name' });
    expect(await input(form, 'modelId').inputValue()).toBe('owner/name');
    await form.close();
  });

  it('opens a list over the start bar, whole and within the page', async () => {
    for (const theme of Object.values(themes)) {
      const form = await open('ready', { theme: theme.name, height: 500 });
      const dropdown = form.page.locator('[data-setting="method"] vscode-dropdown');
      await dropdown.evaluate(element => element.scrollIntoView({ block: 'end' }));
      await form.page.evaluate(() => window.scrollBy(0, 70));
      await dropdown.click();
      const option = form.page.getByRole('option', { name: 'Full fine-tuning' });
      await form.page.screenshot({ path: join(screenshotFolder, `form-dropdown-${theme.name}-300.png`) });
      const hit = await option.evaluate(element => {
        const box = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
      });
      expect(hit).toBe(true);
      await form.close();
    }
  });

  it('opens the line of a problem and changes the mapping', async () => {
    const form = await open('broken');
    await form.page.getByRole('button', { name: /^Open line 204/ }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/openLine', line: 204 });
    await form.page.getByText('Change mapping').click();
    await form.page.locator('.mapping vscode-dropdown').first().click();
    await form.page.getByRole('option', { name: 'Prompt and completion' }).click();
    await drawn(form.page);
    await form.page.getByRole('button', { name: 'Apply' }).click();
    expect(await lastSent(form)).toEqual({
      type: 'form/mapping',
      mapping: { kind: 'promptCompletion', fields: { prompt: 'question', completion: 'answer' } },
    });
    await form.page.getByRole('button', { name: 'Detect again' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/mapping', mapping: null });
    await form.close();
  });

  it('asks for a row when the preview is opened and marks what is trained on', async () => {
    const form = await open('ready');
    await form.page.getByText('What is trained on').click();
    expect(await lastSent(form)).toEqual({ type: 'form/showRow', row: 0 });
    await form.page.getByRole('button', { name: 'Next row' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/showRow', row: 1 });
    await show(form, formSnapshots.tokens);
    const shown = await form.page.locator('.tokens .token.is-supervised').count();
    expect(shown).toBe(formSnapshots.tokens.row!.tokens.filter(token => token.supervised).length);
    await form.close();
  });

  it('starts a run that nothing refuses', async () => {
    const form = await open('ready');
    await start(form).click();
    expect(await lastSent(form)).toEqual({ type: 'form/start' });
    await form.close();
  });

  it('refuses to start while a check refuses, and lets a person insist', async () => {
    const form = await open('broken');
    await start(form).click({ force: true });
    expect((await sent(form)).some(message => message.type === 'form/start')).toBe(false);
    await form.page.locator('.findings vscode-checkbox').first().click();
    expect(await lastSent(form)).toEqual({ type: 'form/override', name: 'memory', on: true });
    await form.close();
  });

  it('takes the settings that make a run fit with one click, over what was typed there', async () => {
    const form = await open('broken');
    await input(form, 'batchRows').fill('many');
    await form.page.getByRole('button', { name: 'Make it fit' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/fit' });
    await show(form, { ...formSnapshots.ready, values: { ...formSnapshots.ready.values, batchRows: 2 } });
    expect(await input(form, 'batchRows').inputValue()).toBe('2');
    expect(await form.page.getByRole('button', { name: 'Make it fit' }).isVisible()).toBe(false);
    await form.close();
  });

  it('measures the time of a run with one click, and shows it from then on', async () => {
    const form = await open('ready');
    const measure = form.page.getByRole('button', { name: 'Measure time' });
    await measure.click();
    expect(await lastSent(form)).toEqual({ type: 'form/measure' });
    const { forecast } = formSnapshots.ready;
    await show(form, { ...formSnapshots.ready, forecast: { ...forecast!, trainingMs: 754_000 } });
    await form.page.getByText('Training time about 12 min 34 s').waitFor();
    expect(await measure.isVisible()).toBe(false);
    await show(form, { ...formSnapshots.ready, trusted: false });
    expect(await measure.isVisible()).toBe(false);
    await form.close();
  });

  it('leads out of Restricted Mode with one click', async () => {
    const form = await open('restricted');
    await start(form).click({ force: true });
    expect((await sent(form)).some(message => message.type === 'form/start')).toBe(false);
    await form.page.getByRole('button', { name: 'Trust this folder…' }).click();
    expect(await lastSent(form)).toEqual({ type: 'form/trust' });
    await form.close();
  });

  it('keeps every control in its place when a forecast comes and goes', async () => {
    const form = await open('ready');
    const places = () =>
      form.page
        .locator('[data-setting], .forecast-content')
        .evaluateAll(all => all.map(e => e.getBoundingClientRect().y));
    const before = await places();
    await show(form, { ...formSnapshots.ready, forecasting: true });
    expect(await places()).toEqual(before);
    await form.close();
  });
});
