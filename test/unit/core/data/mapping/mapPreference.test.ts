import { describe, expect, it } from 'vitest';
import { messagesOf } from '../../../../../src/core/data/example.ts';
import { mapRow } from '../../../../../src/core/data/mapping/mapRow.ts';
import { contentKey, questionKey } from '../../../../../src/core/data/normalizeQuestion.ts';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { makeFile } from '../dataFiles.ts';

const fields = { prompt: 'prompt', chosen: 'chosen', rejected: 'rejected', system: 'system' };
const map = (value: unknown) => mapRow('prefs.jsonl', 3, value, { kind: 'preference', fields });
const user = (content: string) => ({ role: 'user', content }) as const;
const assistant = (content: string) => ({ role: 'assistant', content }) as const;

describe('mapPreference', () => {
  it('reads texts, with a system text in front', () => {
    expect(map({ system: 'Be kind.', prompt: 'Hi', chosen: 'Hello.', rejected: 'What?' }).example).toEqual({
      kind: 'preference',
      prompt: [{ role: 'system', content: 'Be kind.' }, user('Hi')],
      chosen: [assistant('Hello.')],
      rejected: [assistant('What?')],
      origin: { file: 'prefs.jsonl', line: 3 },
    });
  });

  it('reads lists of messages that follow a prompt of messages', () => {
    const prompt = [user('Hi'), assistant('Hello.'), user('Bye')];
    const row = { prompt, chosen: [assistant('See you.')], rejected: [assistant('Go.')] };
    expect(map(row).example).toMatchObject({ kind: 'preference', prompt, chosen: row.chosen, rejected: row.rejected });
  });

  it('takes what two whole conversations share as the prompt, whatever the prompt field says', () => {
    const shared = [user('Hi'), assistant('Hello.'), user('Bye')];
    const chosen = [...shared, assistant('See you.'), user('Yes'), assistant('Good.')];
    const row = { prompt: 'Hi', chosen, rejected: [...shared, assistant('Go.')] };
    expect(map(row).example).toMatchObject({ prompt: shared, chosen: chosen.slice(3), rejected: [assistant('Go.')] });
  });

  it.each([
    [{ prompt: 'Hi', chosen: 'a' }, 'field-missing', /expected a field "rejected"/],
    [{ chosen: 'a', rejected: 'b' }, 'field-missing', /expected a field "prompt"/],
    [{ prompt: 'Hi', chosen: 'a', rejected: 'a' }, 'pair-equal', /expected "chosen" and "rejected" to differ/],
    [{ prompt: 'Hi', chosen: 'a', rejected: ' ' }, 'field-empty', /text in "rejected", got an empty string/],
    [{ prompt: 'Hi', chosen: 'a', rejected: 7 }, 'field-type', /text in "rejected", got a number/],
    [{ prompt: [assistant('Hi')], chosen: 'a', rejected: 'b' }, 'prompt-missing', /expected a question before/],
    [
      { prompt: 'Hi', chosen: 'a', rejected: [user('b')] },
      'assistant-missing',
      /"rejected" to go on with the assistant/,
    ],
    [
      { chosen: [user('Hi'), assistant('a'), user('b')], rejected: [user('Hi'), assistant('c')] },
      'assistant-missing',
      /"chosen" to go on with the assistant/,
    ],
  ])('refuses %j with file and line', (row, code, message) => {
    const { example, problems } = map(row);
    expect(example).toBeUndefined();
    expect(problems).toMatchObject([{ severity: 'error', file: 'prefs.jsonl', line: 3, code }]);
    expect(problems[0]!.message).toMatch(message);
    expect(problems[0]!.fix).not.toBe('');
  });

  it('reads CSV, messages as JSON included', async () => {
    const quoted = (value: unknown) => `"${JSON.stringify(value).replaceAll('"', '""')}"`;
    const lists = `${quoted([user('Bye')])},${quoted([assistant('See you.')])},${quoted([assistant('Go.')])}`;
    const file = makeFile('prefs.csv', `prompt,chosen,rejected\nHi,Hello.,What?\n${lists}\n`);
    const { examples, mapping } = await readDataset(file);
    expect(mapping.mapping.kind).toBe('preference');
    expect(examples).toMatchObject([
      { prompt: [user('Hi')], chosen: [assistant('Hello.')], rejected: [assistant('What?')] },
      { prompt: [user('Bye')], chosen: [assistant('See you.')], rejected: [assistant('Go.')] },
    ]);
  });

  it('counts two preferences on one prompt as one question and two rows', () => {
    const [a, b] = ['No.', 'Never.'].map(rejected => map({ prompt: 'Hi?', chosen: 'Yes.', rejected }).example!);
    expect(questionKey(a!)).toBe(questionKey(b!));
    expect(contentKey(a!)).not.toBe(contentKey(b!));
    expect(messagesOf(a!)).toEqual([user('Hi?'), assistant('Yes.')]);
  });
});
