/**
 * @file What run.json and request.json of any run may be, told apart by `kind`. Most readers are about a run that trains
 * (recipe.ts); those that list, show, resume or delete runs take every kind.
 */
import { z } from 'zod';
import { evaluationRecordSchema, evaluationRequestSchema } from './evaluation.ts';
import { pipelineRecordSchema, pipelineRequestSchema } from './pipeline.ts';
import { type RunRecord, type RunRequest, runRecordSchema, runRequestSchema } from './recipe.ts';
import { searchRecordSchema, searchRequestSchema } from './searchRecord.ts';

export const storedRecordSchema = z.discriminatedUnion('kind', [
  runRecordSchema,
  searchRecordSchema,
  pipelineRecordSchema,
  evaluationRecordSchema,
]);
export type StoredRecord = z.infer<typeof storedRecordSchema>;

/** A request without a kind asks for training. */
export const storedRequestSchema = z.discriminatedUnion('kind', [
  runRequestSchema,
  searchRequestSchema,
  pipelineRequestSchema,
  evaluationRequestSchema,
]);
export type StoredRequest = z.infer<typeof storedRequestSchema>;

export type RunKind = StoredRecord['kind'];

/** Kinds that compute nothing themselves: they start other runs, and hold no device while these work. */
const orchestratingKinds: readonly RunKind[] = ['search', 'pipeline'];

export const kindOf = ({ kind = 'train' }: { kind?: RunKind | undefined }): RunKind => kind;
export const isOrchestrating = (request: StoredRequest): boolean => orchestratingKinds.includes(kindOf(request));

/** The recipe of a run that trains; undefined for other kinds. */
export function asTraining(record: StoredRecord | undefined): RunRecord | undefined {
  return record?.kind === 'train' ? record : undefined;
}

export function asTrainingRequest(request: StoredRequest | undefined): RunRequest | undefined {
  return request !== undefined && (request.kind === undefined || request.kind === 'train') ? request : undefined;
}

/** The runs that a run belongs to or goes on from. */
export const parentsOf = (stored: StoredRecord | StoredRequest | undefined): readonly string[] => stored?.parents ?? [];
