/**
 * @file What a job that starts other runs needs of whoever runs it. Each child is an ordinary run folder, made by the job
 * before it is started, so that a killed job finds it again; the job itself holds no device.
 */
import type { JsonLine } from '../../shared/commandLine.ts';
import type { WireError } from '../../shared/errors.ts';
import type { RunStatus } from '../../shared/runFolder.ts';
import type { ShownState } from '../../shared/runState.ts';

export interface ChildWatch {
  readonly onLine: (line: JsonLine) => void;
  /** Asked for several times a second; what it says is passed on to the child. */
  readonly ask: () => 'continue' | 'pause' | 'stop';
}

export interface ChildEnd {
  /** `failed` also where the run's folder is gone because its input was refused. */
  readonly state: ShownState;
  readonly status: RunStatus | undefined;
  readonly error: WireError | undefined;
}

export interface ChildRuns {
  /** Works on a run until it rests; one that has ended already is not touched. Never rejects for what the child does. */
  run(path: string, watch: ChildWatch): Promise<ChildEnd>;
  /** Holds the device while `act` computes in this process, when its turn has come. @throws JobInterrupted */
  withDevice<T>(act: () => Promise<T>): Promise<T>;
}
