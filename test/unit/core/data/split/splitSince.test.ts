import { describe, expect, it } from 'vitest';
import type { Example } from '../../../../../src/core/data/example.ts';
import { splitExamples } from '../../../../../src/core/data/split/splitExamples.ts';
import { findEarlierSides, splitSince } from '../../../../../src/core/data/split/splitSince.ts';

const ask = (question: string, answer = 'so it is'): Example => ({
  kind: 'chat',
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
  origin: { file: 'rows.jsonl', line: 1 },
});
const old = Array.from({ length: 50 }, (_, i) => ask(`old question ${i}`));
const fresh = Array.from({ length: 20 }, (_, i) => ask(`new question ${i}`));
const options = { seed: 5, evalRatio: 0.2, testRatio: 0.1, replayRatio: 0.25 };
const before = splitExamples(old, options);
const side = (name: string) => old.filter((_, row) => before.rows[row] === name);
const earlier = {
  examples: { train: side('train'), heldOut: side('heldOut'), test: side('test') },
  isCleaned: false,
};

describe('splitSince', () => {
  it('trains on the new rows with the share of old ones, and measures on what was held out before and now', () => {
    const all = [...fresh, ...old];
    const { rows, counts, newRows, replayedRows } = splitSince(all, earlier, options);
    expect(newRows).toBe(20);
    const trained = all.filter((_, row) => rows[row] === 'train');
    const replayed = trained.filter(example => old.includes(example));
    expect(replayed).toHaveLength(replayedRows);
    expect(replayedRows / trained.length).toBeCloseTo(0.25, 1);
    expect(replayed.every(example => earlier.examples.train.includes(example))).toBe(true);
    for (const [i, example] of old.entries())
      if (before.rows[i] !== 'train') expect(rows[all.indexOf(example)]).toBe(before.rows[i]);
    expect(counts.heldOut).toBe(before.counts.heldOut + 4);
  });

  it('replays the same rows wherever they stand, none at a ratio of 0, and all where more are wanted', () => {
    const replayed = (rows: readonly Example[], ratio: number) => {
      const split = splitSince(rows, earlier, { ...options, replayRatio: ratio });
      return new Set(rows.filter((example, row) => split.rows[row] === 'train' && old.includes(example)));
    };
    expect(replayed([...old].reverse().concat(fresh), 0.25)).toEqual(replayed([...fresh, ...old], 0.25));
    expect(replayed([...old, ...fresh], 0).size).toBe(0);
    expect(replayed([...old, ...fresh], 0.95).size).toBe(earlier.examples.train.length);
  });

  it('never trains on another answer to a question that was held out', () => {
    const again = ask('Old question, changed?', 'x');
    const heldOut = { ...earlier.examples, heldOut: [...earlier.examples.heldOut, ask('old question: changed')] };
    const { rows } = splitSince([...old, again], { ...earlier, examples: heldOut }, options);
    expect(rows.at(-1)).toBe('heldOut');
  });
});

describe('findEarlierSides', () => {
  it('knows a cleaned row again by its question alone, and one that was not by every character', () => {
    const changed = ask('old question 3', 'before it was cleaned');
    expect(findEarlierSides([changed], earlier)).toEqual([undefined]);
    expect(findEarlierSides([changed], { ...earlier, isCleaned: true })).toEqual([before.rows[3]]);
    expect(findEarlierSides([old[3]!, old[3]!], earlier)).toEqual([before.rows[3], undefined]);
  });
});
