import { describe, expect, it } from 'vitest';
import { detectMapping } from '../../../../../src/core/data/mapping/detectMapping.ts';
import { completeMapping, parseMapping } from '../../../../../src/core/data/mapping/mapping.ts';
import { mapRow } from '../../../../../src/core/data/mapping/mapRow.ts';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { makeFile } from '../dataFiles.ts';

const detect = (...values: unknown[]) =>
  detectMapping(
    'f',
    values.map((value, i) => ({ line: i + 1, value })),
  );
const chat = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];
const shareGpt = [
  { from: 'system', value: 'Be kind.' },
  { from: 'human', value: 'Hi' },
  { from: 'gpt', value: 'Hello' },
];

describe('detectMapping', () => {
  it.each([
    [{ messages: chat }, 'messages', { messages: 'messages' }],
    [{ id: 1, dialogue: chat }, 'messages', { messages: 'dialogue' }],
    [{ conversations: shareGpt }, 'conversations', { conversations: 'conversations' }],
    [{ conversations: shareGpt, system: 'x' }, 'conversations', { conversations: 'conversations', system: 'system' }],
    [{ messages: JSON.stringify(chat) }, 'messages', { messages: 'messages' }],
    [
      { instruction: 'Add', input: '1 2', output: '3' },
      'instruction',
      { instruction: 'instruction', output: 'output', input: 'input' },
    ],
    [
      { instruction: 'Add', context: '', response: '3', category: 'x' },
      'instruction',
      { instruction: 'instruction', output: 'response', input: 'context' },
    ],
    [{ prompt: 'a', completion: 'b' }, 'promptCompletion', { prompt: 'prompt', completion: 'completion' }],
    [{ prompt: [chat[0]], completion: [chat[1]] }, 'promptCompletion', { prompt: 'prompt', completion: 'completion' }],
    [
      { id: 'x', focus: 'y', qtype: 'z', question: 'a', answer: 'b' },
      'questionAnswer',
      { question: 'question', answer: 'answer' },
    ],
    [{ Question: 'a', Answer: 'b' }, 'questionAnswer', { question: 'Question', answer: 'Answer' }],
    [{ query: 'a', reference_answer: 'b' }, 'questionAnswer', { question: 'query', answer: 'reference_answer' }],
    [
      { prompt: 'a', chosen: 'b', rejected: 'c' },
      'preference',
      { chosen: 'chosen', rejected: 'rejected', prompt: 'prompt' },
    ],
    [
      { prompt: [chat[0]], chosen: [chat[1]], rejected: [{ role: 'assistant', content: 'No' }], messages: chat },
      'preference',
      { chosen: 'chosen', rejected: 'rejected', prompt: 'prompt' },
    ],
    [
      { chosen: chat, rejected: [chat[0], { role: 'assistant', content: 'No' }] },
      'preference',
      { chosen: 'chosen', rejected: 'rejected' },
    ],
    [{ text: 'Once upon a time.' }, 'text', { text: 'text' }],
  ])('reads %j as %s', (value, kind, fields) => {
    const detection = detect(value, value);
    expect(detection.mapping).toEqual({ kind, fields });
    expect(detection.confidence).toBe(1);
    expect(detection.reason).not.toBe('');
  });

  it('says what else would fit', () => {
    const detection = detect({ question: 'a', answer: 'b', text: 'ab' });
    expect(detection.mapping.kind).toBe('questionAnswer');
    expect(detection.alternatives.map(({ mapping }) => mapping.kind)).toEqual(['text']);
  });

  it('prefers the mapping that reads more rows', () => {
    const detection = detect({ prompt: 'a', completion: '', text: 'a b' }, { prompt: 'c', completion: '', text: 'd' });
    expect(detection.mapping.kind).toBe('text');
  });

  it('names the fields when nothing fits, and says when only the answers are missing', () => {
    expect(() => detect({ foo: 1, bar: 2 })).toThrow(/got the fields foo, bar/);
    expect(() => detect({ question: 'a' })).toThrow(/assistant text/);
  });

  it('gives way to the mapping that the user chose', async () => {
    const file = makeFile('de.csv', 'Frage,Antwort,question,answer\nWo?,Hier.,x,y\n');
    const dataset = await readDataset(file, { mapping: parseMapping('questionAnswer:question=Frage,answer=Antwort') });
    expect(dataset.mapping).toMatchObject({ isChosen: true, confidence: 1 });
    expect(dataset.mapping.alternatives).toHaveLength(1);
    expect(dataset.examples[0]).toMatchObject({ messages: [{ content: 'Wo?' }, { content: 'Hier.' }] });
  });
});

describe('completeMapping', () => {
  it('fills the usual names in and refuses unknown slots', () => {
    expect(completeMapping({ kind: 'questionAnswer', fields: { answer: 'A' } }).fields).toEqual({
      question: 'question',
      answer: 'A',
    });
    expect(() => completeMapping({ kind: 'text', fields: { body: 'x' } })).toThrow(/expected one of text, got "body"/);
    expect(() => parseMapping('tables')).toThrow(/expected one of messages/);
  });
});

describe('mapRow', () => {
  const codesOf = (value: unknown, mapping = parseMapping('messages')) =>
    mapRow('f.jsonl', 7, value, mapping).problems.map(problem => problem.code);

  it.each([
    [{}, 'field-missing'],
    [{ messages: 'text' }, 'field-type'],
    [{ messages: [] }, 'field-empty'],
    [{ messages: ['a'] }, 'field-type'],
    [{ messages: [{ content: 'a' }] }, 'field-missing'],
    [{ messages: [{ role: 'narrator', content: 'a' }] }, 'role-unknown'],
    [{ messages: [{ role: 'user', content: 5 }] }, 'field-type'],
    [{ messages: [{ role: 'user', content: ' ' }] }, 'field-empty'],
    [{ messages: [chat[0]] }, 'assistant-missing'],
    [{ messages: [...chat, chat[0]] }, 'assistant-not-last'],
    [{ messages: [chat[0], { role: 'assistant', content: null, tool_calls: [] }] }, 'field-type'],
    [null, 'row-type'],
    ['text', 'row-type'],
  ])('reports %j as %s', (value, code) => {
    expect(codesOf(value)).toEqual([code]);
    const { example, problems } = mapRow('f.jsonl', 7, value, parseMapping('messages'));
    expect(example).toBeUndefined();
    expect(problems[0]?.message).toMatch(/^f\.jsonl:7: expected .+, got /);
  });

  it('reports every missing or empty field of a row', () => {
    expect(codesOf({ question: ' ' }, parseMapping('questionAnswer'))).toEqual(['field-empty', 'field-missing']);
  });

  it('reports answers that are not text', () => {
    const value = { question: 'How many?', answer: 4 };
    expect(mapRow('f', 1, value, parseMapping('questionAnswer')).problems).toMatchObject([
      { code: 'field-type', message: 'f:1: expected text in "answer", got a number' },
    ]);
  });

  it('does not take a field from the prototype', () => {
    expect(codesOf({}, parseMapping('questionAnswer:question=constructor,answer=toString'))).toEqual([
      'field-missing',
      'field-missing',
    ]);
  });

  it('understands ShareGPT names, content parts and developer messages', () => {
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'H' },
          { type: 'text', text: 'i' },
        ],
      },
      { from: 'gpt', value: 'Hello' },
    ];
    expect(mapRow('f', 1, { messages }, parseMapping('messages')).example).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
      ],
    });
  });

  it('joins Alpaca instruction and input, with system and history before them', () => {
    const mapping = parseMapping('instruction:input=input,system=system,history=history');
    const value = { instruction: 'Add.', input: '1 2', output: '3', system: 'Count.', history: [['a', 'b']] };
    expect(mapRow('f', 1, value, mapping).example).toMatchObject({
      messages: [
        { role: 'system', content: 'Count.' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'Add.\n\n1 2' },
        { role: 'assistant', content: '3' },
      ],
    });
  });

  it('keeps answers of weight 0 as shown but not learned, and refuses a row that learns none', () => {
    const value = { messages: [chat[0], { ...chat[1], weight: 0 }, chat[0], chat[1]] };
    const { example, problems } = mapRow('f', 1, value, parseMapping('messages'));
    expect(example).toMatchObject({ messages: [{}, { isTrained: false }, {}, { role: 'assistant' }] });
    expect(problems).toEqual([]);
    const none = mapRow('f', 1, { messages: [chat[0], { ...chat[1], weight: 0 }] }, parseMapping('messages'));
    expect(none.example).toBeUndefined();
    expect(none.problems).toMatchObject([{ code: 'assistant-missing' }]);
  });

  it('writes tools and their calls as text', () => {
    const call = { type: 'function', id: 'c1', function: { name: 'find', arguments: '{"what": "tea"}' } };
    const tools = [{ type: 'function', function: { name: 'find', parameters: {} } }];
    const turns = [chat[0], { role: 'assistant', tool_calls: [call] }, { role: 'tool', content: '3 cups' }, chat[1]];
    const { example, problems } = mapRow('f', 1, { messages: turns, tools }, parseMapping('messages'));
    const messages = example?.kind === 'chat' ? example.messages : [];
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'assistant']);
    expect(messages[0]?.content).toContain(JSON.stringify(tools[0]));
    expect(messages[2]?.content).toBe('<tool_call>\n{"name":"find","arguments":{"what":"tea"}}\n</tool_call>');
    expect(problems).toMatchObject([{ severity: 'warning', code: 'tools-as-text' }]);
    const broken = {
      messages: [chat[0], { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{' } }] }],
    };
    expect(mapRow('f', 1, broken, parseMapping('messages'))).toMatchObject({
      example: undefined,
      problems: [{ severity: 'error', code: 'field-type' }],
    });
  });

  it('refuses answers that unpaired preferences call bad, and says so', () => {
    const mapping = parseMapping('promptCompletion');
    const row = { prompt: 'Hi', completion: 'Hello.' };
    expect(mapRow('f', 1, { ...row, label: true }, mapping).example).toBeDefined();
    expect(mapRow('f', 1, { ...row, label: false }, mapping)).toMatchObject({
      example: undefined,
      problems: [{ severity: 'error', code: 'label-false', fix: expect.stringMatching(/KTO/) as string }],
    });
  });
});
