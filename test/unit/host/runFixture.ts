/** Run folders as a trainer leaves them, for tests of what reads them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultHyperparameters } from '../../../src/shared/hyperparameters.ts';
import type { RunRecord, RunRequest } from '../../../src/shared/recipe.ts';
import type { EvaluationRow, RunStatus, StepRow } from '../../../src/shared/runFolder.ts';

export const snapshotName = 'a'.repeat(64);

export function makeRequest(changes: Partial<RunRequest> = {}): RunRequest {
  return {
    name: 'capitals',
    model: 'tiny',
    datasets: [{ path: '/data/capitals.jsonl', mapping: null }],
    hyperparameters: defaultHyperparameters,
    overrides: [],
    parents: [],
    ...changes,
  };
}

export function makeRecord(id: string, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    schemaVersion: 1,
    id,
    kind: 'train',
    parents: [],
    createdAt: '2026-11-24T09:30:00.000Z',
    engine: 'embedded',
    objective: 'sft',
    model: { id: 'tiny', path: '/models/tiny', format: 'safetensors', modelType: 'llama', sha256: 'b'.repeat(64) },
    datasets: [
      {
        path: '/data/capitals.jsonl',
        sha256: 'c'.repeat(64),
        snapshot: snapshotName,
        mapping: { kind: 'questionAnswer', fields: { question: 'question', answer: 'answer' } },
        mappingChosen: false,
      },
    ],
    hyperparameters: defaultHyperparameters,
    overrides: [],
    versions: {},
    forecast: {
      totalSteps: 10,
      trainRows: 9,
      heldOutRows: 1,
      tokensPerEpoch: 100,
      supervisedTokensPerEpoch: 50,
      peakMemoryBytes: 1,
      memoryLimitBytes: 2,
      plan: 'whole',
      baseWeights: 'float32',
    },
    ...changes,
  };
}

export function makeStatus(changes: Partial<RunStatus> = {}): RunStatus {
  return {
    state: 'running',
    attempt: 1,
    step: 2,
    totalSteps: 10,
    phase: null,
    identity: { pid: 4242, startTime: '1000', nonce: '0'.repeat(32) },
    heartbeatAt: '2026-11-24T09:30:05.000Z',
    lastProgressAt: '2026-11-24T09:30:05.000Z',
    bestStep: null,
    bestEvalLossNats: null,
    stoppedEarly: false,
    error: null,
    ...changes,
  };
}

export function makeStep(step: number, changes: Partial<StepRow> = {}): StepRow {
  return {
    kind: 'step',
    attempt: 1,
    step,
    epoch: step / 10,
    lossNats: 3 - step / 100,
    learningRate: 1e-4,
    gradNorm: 1,
    supervisedTokens: 20,
    tokensPerSecond: 200,
    elapsedMs: step * 1000,
    peakRssBytes: 1e9,
    ...changes,
  };
}

export function makeEvaluation(step: number, changes: Partial<EvaluationRow> = {}): EvaluationRow {
  return {
    kind: 'evaluation',
    attempt: 1,
    step,
    evalLossNats: 2.5,
    supervisedTokens: 20,
    elapsedMs: step * 1000,
    ...changes,
  };
}

/** Writes a run folder below `store` and gives its path. */
export function writeRun(store: string, id: string, files: Record<string, unknown> = {}): string {
  const path = join(store, 'runs', id);
  mkdirSync(path, { recursive: true });
  const all = { 'request.json': makeRequest(), 'run.json': makeRecord(id), 'status.json': makeStatus(), ...files };
  for (const [name, content] of Object.entries(all)) {
    if (content === undefined) continue;
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path;
}
