/** @file Runs that start others, as a search its trials -> who belongs to whom. */
import type { RunReader } from './runReader.ts';

type Member = Pick<RunReader, 'id' | 'kind' | 'parents'>;

/** The run that started this one; undefined for a run that a person started. */
export function ownerOf<T extends Member>(run: Member, runs: readonly T[]): T | undefined {
  if (run.parents.length === 0) return undefined;
  return runs.find(other => other.kind !== 'train' && run.parents.includes(other.id));
}

export function childrenOf<T extends Member>(run: Member, runs: readonly T[]): T[] {
  return run.kind === 'train' ? [] : runs.filter(other => other.parents.includes(run.id));
}
