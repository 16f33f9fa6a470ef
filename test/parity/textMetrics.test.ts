/** BLEU and chrF beside sacrebleu, ROUGE-L beside rouge-score: over all rows together and row by row. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { bleuFigure, countBleu } from '../../src/core/judge/bleu.ts';
import { chrFFigure, countChrF } from '../../src/core/judge/chrF.ts';
import { rougeL } from '../../src/core/judge/rougeL.ts';
import { createGenerator } from '../../src/core/text/seededOrder.ts';
import { requirePython } from '../support/externals.ts';

const tolerance = 1e-9;

const written: [answer: string, reference: string][] = [
  ['The gate closes at six in winter.', 'In winter the gate closes at six.'],
  ['', 'Nothing was said.'],
  ['Nothing was asked.', ''],
  ['', ''],
  ['a', 'a'],
  ['It costs 3.50 (or $4,000.00) - not 4-5!', 'It costs 3.50, or $4,000; not 4 - 5.'],
  ['&quot;Yes&quot; &amp; &lt;b&gt;no&lt;/b&gt;', '"Yes" & <b>no</b>'],
  ["line one\nline two-\nbroken\r\n  it's\tthe end  ", "line one line two broken it's the end"],
  ['Crème brûlée für 12,5 €, “bitte”…', 'Creme brulee für 12.5 €, "bitte"...'],
  ['这是一个测试。', '这是另一个测试！'],
  ['🙂 emoji 🙃 and 𝒳', 'emoji 🙂 and 𝒳 𝒴'],
  ['no_under_score a/b\\c [x]{y}~`z`', 'no under score a/b c x y z'],
  ['<skipped>word', 'word'],
];

/** Rows of random words, so that every order has hits and misses. */
function randomPairs(count: number): [string, string][] {
  const next = createGenerator([7]);
  const pick = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  const words = [
    'the',
    'heart',
    'rate',
    'is',
    '72',
    'beats,',
    'per',
    'minute.',
    'A',
    'normal',
    "adult's",
    '(60-100)',
    'pulse;',
  ];
  const sentence = (length: number) => Array.from({ length }, () => words[pick(words.length)]!).join(' ');
  return Array.from({ length: count }, () => [sentence(pick(25)), sentence(1 + pick(25))]);
}

it('has the figures of sacrebleu and rouge-score', () => {
  const pairs = [...written, ...randomPairs(200)];
  const python = spawnSync(requirePython(), [resolve(import.meta.dirname, 'textMetrics.py')], {
    encoding: 'utf8',
    input: JSON.stringify(pairs),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (python.status !== 0) throw new Error(`textMetrics.py: exit ${python.status}\n${python.stderr.slice(-3000)}`);
  const expected = JSON.parse(python.stdout) as {
    bleu: number;
    chrF: number;
    rows: { bleu: number; chrF: number; rougeL: number }[];
  };
  const add = (rows: number[][]): number[] => rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0));
  const bleuRows = pairs.map(([answer, reference]) => countBleu(answer, reference));
  const chrFRows = pairs.map(([answer, reference]) => countChrF(answer, reference));
  const differences = [
    Math.abs(bleuFigure.of(add(bleuRows), pairs.length) - expected.bleu),
    Math.abs(chrFFigure.of(add(chrFRows), pairs.length) - expected.chrF),
  ];
  for (const [i, [answer, reference]] of pairs.entries()) {
    const row = expected.rows[i]!;
    const ours = { bleu: bleuFigure.ofRow!(bleuRows[i]!), chrF: chrFFigure.of(chrFRows[i]!, 1) };
    expect(ours.bleu, JSON.stringify(pairs[i])).toBeCloseTo(row.bleu, 8);
    expect(ours.chrF, JSON.stringify(pairs[i])).toBeCloseTo(row.chrF, 8);
    differences.push(Math.abs(ours.bleu - row.bleu), Math.abs(ours.chrF - row.chrF));
    // rouge-score knows ASCII alone.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is meant
    if (/^[\x00-\x7f]*$/.test(answer + reference) && !/_/.test(answer)) {
      const difference = Math.abs(rougeL(answer, reference) - row.rougeL);
      expect(difference, JSON.stringify(pairs[i])).toBeLessThan(tolerance);
      differences.push(difference);
    }
  }
  const largest = Math.max(...differences);
  process.stdout.write(`metrics of ${pairs.length} pairs: largest difference ${largest.toExponential(2)}\n`);
  expect(largest).toBeLessThan(tolerance);
});
