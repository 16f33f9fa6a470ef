/** @file A run's checkpoints -> the state to go on from, with `adapter/` as the best checkpoint of that state has it. */
import {
  type CheckpointContents,
  readCheckpoint,
  readCheckpointState,
  readParameters,
} from '../../train/checkpoint.ts';
import type { CheckpointFolder } from '../../train/checkpointFolder.ts';
import { freshTrainState, type TrainState } from '../../train/trainState.ts';
import type { OutputWriter } from './outputWriter.ts';

/** How far the run's checkpoints reach, without changing anything: a fresh state when there is none. */
export function readReachedState(checkpoints: CheckpointFolder): TrainState {
  const newest = checkpoints.findNewest(() => undefined);
  return newest === undefined ? freshTrainState : readCheckpointState(newest.path);
}

export interface Continuation {
  readonly state: TrainState;
  /** For the log. */
  readonly notes: readonly string[];
}

/**
 * Fills parameters and moments from the newest whole checkpoint, or leaves them as they are. The output is written anew
 * from the best checkpoint: a process may have been killed between saving that and writing the output.
 */
export function continueFrom(
  checkpoints: CheckpointFolder,
  output: OutputWriter,
  target: Omit<CheckpointContents, 'state'>,
  keepCheckpoints: number,
): Continuation {
  const notes: string[] = [];
  checkpoints.tidy();
  output.recover();
  const newest = checkpoints.findNewest(({ path }, problem) => notes.push(`${path}: passed over: ${problem}`));
  if (newest === undefined) return { state: freshTrainState, notes };
  const { bestStep } = readCheckpointState(newest.path);
  const best = bestStep === null ? undefined : checkpoints.find(bestStep);
  if (best !== undefined) {
    readParameters(best.path, target.parameters);
    output.write(readCheckpointState(newest.path));
  } else if (bestStep !== null && !output.exists()) {
    notes.push(`checkpoint of the best step ${bestStep} is gone: the adapter will be that of a later evaluation`);
  }
  const state = readCheckpoint(newest.path, target);
  checkpoints.prune(keepCheckpoints, bestStep);
  notes.push(`resumes at step ${state.step} from ${newest.path}`);
  return { state, notes };
}
