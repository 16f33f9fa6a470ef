import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePipeline } from '../../../../../src/core/jobs/pipeline/parsePipeline.ts';
import { defaultHyperparameters } from '../../../../../src/shared/hyperparameters.ts';

const folder = join('/', 'some', 'files');
const file = join(folder, 'medical.pipeline.yaml');

const whole = `
model: tiny
set: { contextTokens: 128, epochs: 2 }
stages:
  - name: domain
    dataset: domain.jsonl
    mapping: text:text=body
    set:
      rank: 8
      targetModules: [q_proj, v_proj]
  - name: instructions
    dataset: [a.jsonl, sub/b.csv]
    set: { epochs: 1, learningRate: 1e-3 }
  - name: preferences
    start: merge
    dataset: pairs.jsonl
    objective: dpo
    set: { rank: 4 }
  - name: student
    model: tiny
    teacher: previous
    distill: answers
    maxTokens: 40
    dataset: a.jsonl
    override: [memory]
`;

const parse = (text: string) => parsePipeline(text, file);
const places = (text: string) =>
  parse(text).problems.map(({ range, message }) => `${range.line}:${range.column} ${message}`);

describe('parsePipeline', () => {
  it('makes each stage a whole recipe: defaults, then the settings of all, then its own', () => {
    const { request, problems, outline } = parse(whole);
    expect(problems).toEqual([]);
    expect(request).toMatchObject({ kind: 'pipeline', name: 'medical', file, restartFrom: null });
    const [domain, instructions, preferences, student] = request!.stages;
    expect(domain).toMatchObject({
      model: 'tiny',
      start: 'fresh',
      datasets: [{ path: join(folder, 'domain.jsonl'), mapping: { kind: 'text', fields: { text: 'body' } } }],
      hyperparameters: {
        contextTokens: 128,
        epochs: 2,
        rank: 8,
        targetModules: ['q_proj', 'v_proj'],
        batchRows: defaultHyperparameters.batchRows,
      },
    });
    // What goes on has the adapter's rank and layers.
    expect(instructions).toMatchObject({
      model: null,
      start: 'continue',
      datasets: [{ path: join(folder, 'a.jsonl') }, { path: join(folder, 'sub', 'b.csv') }],
      hyperparameters: { epochs: 1, learningRate: 0.001, rank: 8, targetModules: ['q_proj', 'v_proj'] },
    });
    expect(preferences).toMatchObject({ start: 'merge', hyperparameters: { objective: 'dpo', rank: 4, epochs: 2 } });
    expect(student).toMatchObject({
      model: 'tiny',
      teacher: { kind: 'stage', stage: 'preferences' },
      distill: 'answers',
      maxTokens: 40,
      overrides: ['memory'],
      hyperparameters: { objective: 'sft' },
    });
    expect(outline.map(({ name, range }) => [name, range.line])).toEqual([
      ['domain', 5],
      ['instructions', 11],
      ['preferences', 14],
      ['student', 19],
    ]);
    expect(outline[3]!.detail).toBe('tiny · answers of preferences · a.jsonl');
  });

  it('reads JSON as well, and learns from logits unless something else is said', () => {
    const json = JSON.stringify(
      { model: 'tiny', stages: [{ name: 'one', dataset: 'a.jsonl', teacher: './big', set: { maxSteps: null } }] },
      null,
      2,
    );
    const { request } = parsePipeline(json, join(folder, 'one.pipeline.json'));
    expect(request!.stages[0]).toMatchObject({
      distill: 'logits',
      teacher: { kind: 'model', model: join(folder, 'big') },
      hyperparameters: { objective: 'distill', maxSteps: null },
    });
    expect(request!.name).toBe('one');
  });

  it('says line and column of what is wrong with names, values and stages', () => {
    const text = [
      'modell: tiny',
      'model: tiny',
      'stages:',
      '  - name: one two',
      '    dataset: a.jsonl',
      '    set:',
      '      epocs: 3',
      '      rank: many',
      '  - dataset: []',
      '    name: b',
      '    mapping: questions',
      '    start: middle',
      '  - just text',
    ].join('\n');
    const { request, problems } = parse(text);
    expect(request).toBeUndefined();
    expect(places(text)).toEqual([
      '1:1 expected one of name, model, set, stages, got "modell"',
      '4:11 name: expected up to 40 letters, digits, - and _, got "one two"',
      '7:7 set: expected the name of a hyperparameter, got "epocs"',
      '8:13 rank: expected a whole number from 1 to 512, got "many"',
      '12:12 start: expected one of continue, merge, fresh, got "middle"',
      '9:14 dataset: expected at least one file, got none',
      expect.stringMatching(/^11:14 mapping: expected one of messages/),
      '13:5 stage 3: expected names with values, got "just text"',
    ]);
    expect(problems.find(({ range }) => range.line === 7)).toMatchObject({
      hint: 'Perhaps epochs?',
      range: { column: 7, endLine: 7, endColumn: 12 },
    });
  });

  it('refuses stages that cannot follow each other', () => {
    const stages = (text: string) => places(`model: tiny\nstages:\n${text}`);
    const stage = (name: string, more = '') => `  - name: ${name}\n    dataset: a.jsonl\n${more}`;
    expect(stages(stage('a', '    start: merge\n'))).toEqual(['5:12 start: expected fresh, got merge']);
    expect(stages(stage('a') + stage('a'))).toEqual(['5:11 name: expected a name of its own, got "a" again']);
    expect(stages(stage('a') + stage('b', '    set: {rank: 3}\n'))).toEqual([
      '7:11 rank: expected nothing beside the adapter that goes on, which decides it, got a value',
    ]);
    expect(stages(stage('a', '    set: {method: full}\n') + stage('b', '    set: {rank: 3}\n'))).toEqual([]);
    expect(stages(stage('a') + stage('b', '    start: fresh\n'))).toEqual([
      '7:12 start: expected a model beside it, got none',
    ]);
    expect(stages(stage('a', '    teacher: previous\n'))).toEqual([
      '5:14 teacher: expected a stage before this one, got none',
    ]);
    expect(stages(stage('a', '    distill: answers\n'))).toEqual([
      '5:5 distill: expected a teacher beside it, got none',
    ]);
    expect(stages(stage('a', '    objective: distill\n'))).toEqual([
      '5:16 objective: expected a teacher beside it, got none',
    ]);
    expect(stages(stage('a', '    teacher: https://host/v1\n'))).toEqual([
      '5:5 teacher: expected teacherModel beside it, got none',
    ]);
    expect(stages(stage('a', '    teacher: https://me:key@host/v1\n'))).toEqual([
      '5:14 teacher: expected an address without a key, got another',
    ]);
    const endpoint = '    teacher: https://host/v1\n    teacherModel: wise\n';
    expect(stages(stage('a', endpoint))).toEqual([]);
    expect(stages(stage('a', `${endpoint}    distill: logits\n`))).toEqual([
      '7:14 distill: expected answers, got logits',
    ]);
    expect(places('stages:\n  - {name: a, dataset: b}')).toEqual(['2:6 expected a model to begin with, got none']);
  });

  it('keeps its head over text that is no pipeline', () => {
    for (const text of ['', '[]', 'a: [', '- b', 'stages: 3\nmodel: tiny', '{', '&a [*a]', 'stages: [null]', '"']) {
      const { request, problems } = parse(text);
      expect(request).toBeUndefined();
      expect(problems.length).toBeGreaterThan(0);
      for (const { range } of problems) expect(range.line).toBeGreaterThan(0);
    }
  });
});
