import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  compareStateSchema,
  datasetStateSchema,
  evaluationStateSchema,
  formStateSchema,
  runStateSchema,
  studyStateSchema,
} from '../../../src/shared/pageSnapshots.ts';
import { compareSnapshots } from '../../webview/snapshots/compare.ts';
import { datasetSnapshots } from '../../webview/snapshots/dataset.ts';
import { evaluationSnapshots } from '../../webview/snapshots/evaluation.ts';
import { formSnapshots } from '../../webview/snapshots/form.ts';
import { runSnapshots } from '../../webview/snapshots/run.ts';
import { studySnapshots } from '../../webview/snapshots/study.ts';

const pages: readonly [string, z.ZodType, Record<string, object>][] = [
  ['form', formStateSchema, formSnapshots],
  ['run', runStateSchema, runSnapshots],
  ['compare', compareStateSchema, compareSnapshots],
  ['evaluation', evaluationStateSchema, evaluationSnapshots],
  ['study', studyStateSchema, studySnapshots],
  ['dataset', datasetStateSchema, datasetSnapshots],
];

describe.each(pages)('the schema of the %s page’s snapshots', (_name, schema, snapshots) => {
  it.each(Object.keys(snapshots))('takes the recorded snapshot "%s" and keeps all of it', name => {
    const sent = JSON.parse(JSON.stringify(snapshots[name]));
    expect(schema.parse(sent)).toEqual(sent);
  });

  it('refuses a snapshot that lacks any of its parts, or has one of another kind', () => {
    const whole: Record<string, unknown> = { ...Object.values(snapshots)[0] };
    for (const part of Object.keys(whole)) {
      const { [part]: _, ...without } = whole;
      expect(schema.safeParse(without).success, `without ${part}`).toBe(false);
      expect(schema.safeParse({ ...whole, [part]: Symbol('other') }).success, `${part} of another kind`).toBe(false);
    }
  });
});

describe('runStateSchema', () => {
  it('looks at every figure of every row', () => {
    const running = runSnapshots.running;
    const last = running.steps.at(-1)!;
    for (const broken of [{ ...last, lossNats: null }, { ...last, kind: 'evaluation' }, null, 5]) {
      expect(runStateSchema.safeParse({ ...running, steps: [...running.steps.slice(0, -1), broken] }).success).toBe(
        false,
      );
    }
    const { gradNorm: _, ...lacking } = last;
    expect(runStateSchema.safeParse({ ...running, steps: [lacking] }).success).toBe(false);
    expect(runStateSchema.safeParse({ ...running, steps: [{ ...last, rewardMargin: 0.5 }] }).success).toBe(true);
  });
});
