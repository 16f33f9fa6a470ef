/** @file What a person chose for an evaluation -> its request. */
import type { Candidate, EvaluationRequest, TaskName } from '../../shared/evaluation.ts';
import { taskPresets, usualMetrics } from '../../shared/taskPresets.ts';

export interface JudgedAdapter {
  readonly path: string;
  readonly id: string;
  readonly name: string;
}

export interface EvaluationChoice {
  /** Whose rows are judged. */
  readonly run: JudgedAdapter;
  readonly model: string;
  readonly hasBase: boolean;
  readonly hasPrompt: boolean;
  readonly adapters: readonly JudgedAdapter[];
  readonly task: TaskName | null;
  readonly split: 'heldOut' | 'test';
  readonly maxRows: number | null;
  /** Fields of the dataset whose values are the glossary; none: term accuracy is not measured. */
  readonly glossaryFields: readonly string[];
}

const mostLabelCharacters = 200;

export function planEvaluation(choice: EvaluationChoice): EvaluationRequest {
  const { run, task, glossaryFields } = choice;
  const preset = task === null ? null : taskPresets[task];
  const system = preset?.system ?? null;
  const candidates: Candidate[] = [
    ...(choice.hasBase ? [{ kind: 'base' as const, id: 'base', label: 'Base model' }] : []),
    ...(choice.hasPrompt
      ? [{ kind: 'prompted' as const, id: 'prompted', label: 'Base with its best prompt', system, fewShot: null }]
      : []),
    ...choice.adapters.map(({ path, name }, i) => ({
      kind: 'adapter' as const,
      id: `adapter-${i + 1}`,
      label: name.slice(0, mostLabelCharacters),
      paths: [path],
    })),
  ];
  const hasGlossary = glossaryFields.length > 0;
  return {
    kind: 'evaluate',
    name: `Judge ${run.name}`.slice(0, 120),
    model: choice.model,
    rows: { kind: 'run', run: run.path, split: choice.split },
    candidates,
    maxRows: choice.maxRows,
    metrics: (preset?.metrics ?? usualMetrics).filter(
      name => name !== 'judge' && (name !== 'termAccuracy' || hasGlossary),
    ),
    decoding: { ...(preset?.decoding ?? taskPresets.questionAnswering.decoding) },
    float32: false,
    contextTokens: null,
    glossary: hasGlossary ? { kind: 'fields', fields: [...glossaryFields] } : null,
    labels: null,
    judge: null,
    seed: 42,
    parents: [...new Set([run.id, ...choice.adapters.map(({ id }) => id)])],
  };
}
