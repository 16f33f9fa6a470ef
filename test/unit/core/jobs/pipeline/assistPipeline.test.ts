import { describe, expect, it } from 'vitest';
import { assistPipeline } from '../../../../../src/core/jobs/pipeline/assistPipeline.ts';

/** `|` marks the place. */
function at(text: string) {
  const before = text.slice(0, text.indexOf('|')).split('\n');
  return assistPipeline(text.replace('|', ''), before.length, before.at(-1)!.length + 1);
}
const labels = (text: string) => at(text).completions.map(({ label }) => label);

const head = 'model: tiny\nset:\n  epochs: 2\nstages:\n  - name: a\n    dataset: a.jsonl\n';

describe('assistPipeline', () => {
  it('offers the names that belong where one writes', () => {
    expect(labels('|')).toEqual(['name', 'model', 'set', 'stages']);
    expect(labels('model: tiny\n|')).toContain('stages');
    expect(labels('model: tiny\nset:\n  |')).toContain('learningRate');
    expect(labels('model: tiny\nset:\n  epochs: 2\n  ra|')).toContain('rank');
    expect(labels(`${head}    |`)).toEqual(expect.arrayContaining(['teacher', 'set', 'start']));
    expect(labels(`${head}    te|`)).not.toContain('rank');
    expect(labels(`${head}  - |`)).toContain('dataset');
    expect(labels(`${head}    set:\n      |`)).toContain('rank');
    expect(labels(`${head}    set: { ra|`)).toContain('rank');
    expect(labels(`${head}    set: { rank: 8, |`)).toContain('epochs');
    expect(labels(`${head}    set:\n      rank: 8\n  - name: b\n    |`)).toContain('teacher');
    expect(labels('{\n  "stages": [\n    {\n      "set": { "|')).toContain('rank');
    expect(labels('{\n  "stages": [\n    { "|')).toContain('dataset');
    expect(labels('{\n  "|')).toContain('stages');
  });

  it('offers the values of a name that has few', () => {
    expect(labels(`${head}    start: |`)).toEqual(['continue', 'merge', 'fresh']);
    expect(labels(`${head}    distill: a|`)).toEqual(['logits', 'answers']);
    expect(labels(`${head}    teacher: |`)).toEqual(['previous']);
    expect(labels(`${head}    set:\n      method: |`)).toEqual(['lora', 'full']);
    expect(labels(`${head}    set: { dora: |`)).toEqual(['true', 'false']);
    expect(labels(`${head}    set: { rank: |`)).toEqual([]);
  });

  it('explains the name under the pointer', () => {
    const { hover } = at(`${head}    set: { ra|nk: 8 }`);
    expect(hover).toMatchObject({ range: { line: 7, column: 12, endColumn: 16 } });
    expect(hover!.text).toMatch(/1 to 512, default 16.*\n\nInner size/s);
    expect(at('mo|del: tiny').hover!.text).toMatch(/first stage/);
    expect(at(`${head}    sta|rt: merge`).hover!.text).toMatch(/taken up/);
    expect(at(`${head}    start: me|rge`).hover).toBeNull();
    expect(at('some|thing: else').hover).toBeNull();
  });
});
