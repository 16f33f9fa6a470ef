import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExamples } from '../../../../../src/core/data/check/checkExamples.ts';
import { cleanExamples } from '../../../../../src/core/data/clean/cleanExamples.ts';
import { reportPath, writeCleaned } from '../../../../../src/core/data/clean/cleanedFile.ts';
import { parseCleaning, readCleaning } from '../../../../../src/core/data/clean/parseCleaning.ts';
import type { Example, Message } from '../../../../../src/core/data/example.ts';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { cleaningStepNames, usualCleaning } from '../../../../../src/shared/cleaning.ts';
import { makeFolder, toLines } from '../dataFiles.ts';

let line = 0;
const chat = (...turns: [Message['role'], string][]): Example => ({
  kind: 'chat',
  messages: turns.map(([role, content]) => ({ role, content })),
  origin: { file: 'rows.jsonl', line: ++line },
});
const pair = (question: string, answer: string) => chat(['user', question], ['assistant', answer]);
const clean = async (examples: readonly Example[], steps: string, options = {}) =>
  (await cleanExamples(examples, parseCleaning(steps), options)).examples.map(example =>
    example.kind === 'chat' ? example.messages.map(({ content }) => content).join(' / ') : '',
  );
const long =
  'The ferry to the northern island leaves twice a day from the old harbour and takes about forty minutes in calm weather.';

describe('cleanExamples', () => {
  it.each<[string, Example[], string[], object?]>([
    ['normalizeText', [pair('a\u0000b  \r\nc', 'e\u0301 ')], ['ab\nc / é']],
    ['fixMojibake', [pair('cafÃ©?', 'Yes.')], ['café? / Yes.']],
    ['stripHtml', [pair('<b>Q</b>', 'A &amp; B'), pair('Gone', '<br>')], ['Q / A & B']],
    ['maskPersonalData:kinds=email', [pair('Mail?', 'x@example.org or 8.8.4.4')], ['Mail? / [EMAIL] or 8.8.4.4']],
    ['dropPersonalData', [pair('Mail?', 'x@example.org'), pair('a', 'b')], ['a / b']],
    [
      'fixRoles',
      [
        chat(
          ['assistant', 'Hi'],
          ['user', 'A'],
          ['user', 'B'],
          ['assistant', 'C'],
          ['system', 'S'],
          ['assistant', 'D'],
        ),
      ],
      ['S / A\n\nB / C\n\nD'],
    ],
    ['dropMojibake', [pair('a', 'b\ufffd'), pair('a', 'b')], ['a / b']],
    ['dropEqualAnswers', [pair('What is it ?', 'what is it?'), pair('a', 'b')], ['a / b']],
    ['dropDuplicates', [pair('A b.', 'C'), pair('a  B', 'c!'), pair('a b', 'd')], ['A b. / C', 'a b / d']],
    [
      'dropNearDuplicates:similarity=0.7',
      [pair('Ferry?', long), pair('Ferry?', `${long.slice(0, -13)}.`), pair('Boat?', 'None.')],
      [`Ferry? / ${long}`, 'Boat? / None.'],
    ],
    ['dropConflicts', [pair('Q?', 'a'), pair('q', 'b, longer'), pair('r', 'c')], ['r / c']],
    ['dropConflicts:keep=first', [pair('Q?', 'a'), pair('q', 'b, longer')], ['Q? / a']],
    ['dropConflicts:keep=longest', [pair('Q?', 'a'), pair('q', 'b, longer')], ['q / b, longer']],
    [
      'dropLeaked',
      [pair('Asked?', 'x'), pair('Other?', long), pair('Third?', 'y')],
      ['Third? / y'],
      { heldOut: [pair('asked', 'z'), pair('Other', `${long} `)] },
    ],
    ['dropShort:minCharacters=3', [pair('a', 'no'), pair('a', 'yes')], ['a / yes']],
    ['dropLong:maxCharacters=5', [pair('abc', 'def'), pair('ab', 'cd')], ['ab / cd']],
    [
      'dropOverContext:contextTokens=8',
      [pair('abc', 'def'), pair('ab', 'cd')],
      ['ab / cd'],
      { countTokens: (e: Example) => (e.kind === 'chat' ? 3 * e.messages[1]!.content.length : 0) },
    ],
    [
      'keepLanguage',
      [pair('x', long), pair('y', long), pair('z', 'Das ist nicht die Sprache, die von den anderen Zeilen ist.')],
      [`x / ${long}`, `y / ${long}`],
    ],
  ])('%s does what it says', async (steps, examples, left, options) => {
    expect(await clean(examples, steps, options)).toEqual(left);
  });

  it('leaves clean rows as they are, whatever the step', async () => {
    const rows = [
      pair('When does the ferry leave?', long),
      pair('Who was Ada?', 'She was a keeper of the lighthouse for thirty years.'),
    ];
    const options = { heldOut: [pair('Something else?', 'It is not the same.')], countTokens: () => 5 };
    for (const step of cleaningStepNames) {
      expect((await cleanExamples(rows, parseCleaning(step), options)).examples, step).toEqual(rows);
    }
  });

  it('counts before and after each step and keeps what went with its reason', async () => {
    const rows = [pair('<p>Q</p>', 'A'), pair('Q', 'A'), pair('R', 'r'), pair('S', 'T')];
    const { steps, examples } = await cleanExamples(rows, parseCleaning('stripHtml,dropDuplicates,dropEqualAnswers'));
    expect(
      steps.map(({ rowsBefore, rowsAfter, removed, changed }) => [
        rowsBefore,
        rowsAfter,
        removed.length,
        changed.length,
      ]),
    ).toEqual([
      [4, 4, 0, 1],
      [4, 3, 1, 0],
      [3, 2, 1, 0],
    ]);
    expect(steps[1]!.removed[0]).toMatchObject({
      example: rows[1],
      reason: `equals rows.jsonl:${rows[0]!.origin.line}`,
    });
    expect(examples).toHaveLength(2);
  });

  it('cleans nothing away twice: a second time changes nothing', async () => {
    const word = fc.constantFrom(
      '<b>x</b>',
      'cafÃ©',
      'yes',
      'no. ',
      'x@example.org',
      '&lt;b&gt;',
      ' ',
      '\u00a0',
      'Ã',
      '\n\n\n',
    );
    const text = fc.array(word, { minLength: 1, maxLength: 5 }).map(words => `q${words.join('')}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8 }), async rows => {
        const recipe = parseCleaning('normalizeText,fixMojibake,maskPersonalData,dropDuplicates,dropNearDuplicates');
        const once = await cleanExamples(
          rows.map(([q, a]) => pair(q, a)),
          recipe,
        );
        const twice = await cleanExamples(once.examples, recipe);
        expect(
          twice.steps
            .filter(({ step }) => step.step !== 'normalizeText')
            .map(({ removed, changed }) => removed.length + changed.length),
        ).toEqual([0, 0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses steps that it does not know or that lack what they compare with', async () => {
    expect(() => parseCleaning('dropAll')).toThrow(/expected some of normalizeText/);
    expect(() => parseCleaning('dropNearDuplicates:similarity=2')).toThrow(/similarity/);
    expect(() => parseCleaning('dropShort:foo=2')).toThrow(/dropShort/);
    await expect(cleanExamples([pair('a', 'b')], parseCleaning('dropLeaked'))).rejects.toMatchObject({ code: 'usage' });
    await expect(cleanExamples([pair('a', 'b')], usualCleaning, { signal: AbortSignal.abort() })).rejects.toMatchObject(
      { name: 'AbortError' },
    );
  });
});

describe('writeCleaned', () => {
  const write = async (rows: readonly unknown[]) => {
    const folder = makeFolder();
    const file = join(folder, 'rows.jsonl');
    writeFileSync(file, toLines(rows));
    const dataset = await readDataset(file);
    const cleaned = await cleanExamples(dataset.examples, usualCleaning);
    const out = join(folder, 'clean.jsonl');
    const target = { out, removed: join(folder, 'removed.jsonl'), replaces: false };
    return { file, out, dataset, cleaned, target, report: await writeCleaned(target, dataset, usualCleaning, cleaned) };
  };
  const content = (examples: readonly Example[]) => examples.map(({ origin: _, ...rest }) => rest);

  it.each([
    [
      'chats',
      [
        {
          messages: [
            { role: 'user', content: 'a' },
            { role: 'assistant', content: 'b', weight: 0 },
            { role: 'user', content: 'c' },
            { role: 'assistant', content: 'd' },
          ],
        },
      ],
    ],
    ['preferences', [{ prompt: 'a', chosen: 'b', rejected: 'c' }]],
    ['texts', [{ text: 'One day.' }, { text: 'Another morning.' }]],
    [
      'questions',
      [
        { question: '<i>a</i>', answer: 'b' },
        { question: 'a', answer: 'b' },
      ],
    ],
  ])('writes %s that read back as the same rows, and a report that makes them again', async (_, rows) => {
    const { file, out, cleaned, target, report } = await write(rows);
    const before = readFileSync(file, 'utf8');
    expect(content((await readDataset(out)).examples)).toEqual(content(cleaned.examples));
    const recipe = readCleaning(reportPath(out), readFileSync(reportPath(out), 'utf8'));
    const again = await cleanExamples(
      (await readDataset(report.source.path, { mapping: report.mapping })).examples,
      recipe,
    );
    expect(content(again.examples)).toEqual(content(cleaned.examples));
    expect(readFileSync(file, 'utf8')).toBe(before);
    const removed = readFileSync(target.removed, 'utf8').split('\n').filter(Boolean);
    expect(removed).toHaveLength(cleaned.steps.reduce((sum, step) => sum + step.removed.length, 0));
  });

  it('replaces no file unasked and a source never', async () => {
    const { file, out, dataset, cleaned } = await write([{ text: 'One.' }]);
    await expect(writeCleaned({ out, replaces: false }, dataset, usualCleaning, cleaned)).rejects.toThrow(
      /one that exists/,
    );
    await expect(writeCleaned({ out: file, replaces: true }, dataset, usualCleaning, cleaned)).rejects.toThrow(
      /a source/,
    );
    expect(existsSync(reportPath(file))).toBe(false);
  });
});

describe('checkExamples', () => {
  it('names each finding with its line, the line it repeats, and the step that mends it; the step leaves nothing to find', async () => {
    const start = line;
    const rows = [
      pair('Ferry?', long),
      pair('ferry', long.toUpperCase()),
      pair('Ferry?', `${long} Today.`),
      pair('Echo?', 'echo'),
      pair('<p>Q</p>', 'A a a'),
      pair('cafÃ©', 'B b b'),
      pair('lost', '\ufffd'),
      pair('Mail', 'x@example.org'),
      chat(['assistant', 'Hi'], ['user', 'A'], ['assistant', 'B']),
      pair('x', 'Das ist nicht die Sprache, die von den anderen Zeilen ist.'),
    ];
    const heldOut = [pair('Echo', 'other')];
    const tokens = { counts: rows.map((_, i) => (i === 3 ? 99 : 9)), contextTokens: 64 };
    const { checks } = await checkExamples(rows, { heldOut, tokens });
    const seen = checks.flatMap(({ findings }) =>
      findings.map(({ check, line: at, relatedLine }) => [check, at - start, relatedLine && relatedLine - start]),
    );
    expect(seen).toEqual([
      ['duplicate', 2, 1],
      ['nearDuplicate', 3, 1],
      ['conflictingAnswers', 3, 1],
      ['answerEqualsQuestion', 4, null],
      ['roleOrder', 9, null],
      ['html', 5, null],
      ['mojibake', 6, null],
      ['lostCharacters', 7, null],
      ['personalData', 8, null],
      ['language', 10, null],
      ['overContext', 4, null],
      ['leak', 4, null],
    ]);
    for (const { check, step } of checks) {
      const options = { heldOut, countTokens: (example: Example) => tokens.counts[rows.indexOf(example)] ?? 9 };
      const { examples } = await cleanExamples(
        rows,
        parseCleaning(step === 'dropOverContext' ? `${step}:contextTokens=64` : step),
        options,
      );
      const again = await checkExamples(examples, { heldOut });
      expect(
        again.checks.map(({ check: name }) => name),
        step,
      ).not.toContain(check);
    }
  });
});
