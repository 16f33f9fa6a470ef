/** @file What the trainer's two threads say to each other: requests through shared memory, events as messages. */
import type { JobEnd, JobEvent } from '../../core/jobs/jobEvents.ts';
import type { TrainControl } from '../../core/train/trainLoop.ts';
import type { EndpointKeys } from '../../shared/endpointKeys.ts';
import type { WireError } from '../../shared/errors.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';
import type { PythonReport } from '../../shared/pythonReport.ts';
import type { ProcessIdentity } from '../../shared/runFolder.ts';
import type { TrackerOrders } from '../../shared/trackers.ts';

export interface WorkerInput {
  readonly run: string;
  readonly attempt: number;
  /** Of this process, for the runs that it starts. */
  readonly identity: ProcessIdentity;
  /** Two Int32: what is asked for (0 nothing, 1 pause, 2 stop), and how many checkpoints were asked for. */
  readonly control: SharedArrayBuffer;
  readonly hub: HubSettings | undefined;
  readonly endpointKeys: EndpointKeys;
  readonly trackers: TrackerOrders | undefined;
  /** The model that ships with the program. */
  readonly tinyFolder: string;
  readonly python: PythonReport | undefined;
}

export type WorkerMessage =
  | { readonly type: 'event'; readonly event: JobEvent }
  | { readonly type: 'end'; readonly end: JobEnd }
  | { readonly type: 'failed'; readonly error: WireError; readonly stack: string };

const asked = ['continue', 'pause', 'stop'] as const;

/** The main thread's end: seen by the other at its next batch, although that thread is busy. */
export class ControlWriter {
  readonly buffer = new SharedArrayBuffer(8);
  private readonly words = new Int32Array(this.buffer);

  /** A stop is never taken back by a pause. */
  ask(what: 'pause' | 'stop'): void {
    const wanted = asked.indexOf(what);
    if (Atomics.load(this.words, 0) < wanted) Atomics.store(this.words, 0, wanted);
  }

  requestCheckpoint(): void {
    Atomics.add(this.words, 1, 1);
  }
}

/** The computing thread's end. */
export function readControl(buffer: SharedArrayBuffer): TrainControl {
  const words = new Int32Array(buffer);
  let answered = 0;
  return {
    ask: () => asked[Atomics.load(words, 0)] ?? 'continue',
    takeCheckpointRequest: () => {
      const requested = Atomics.load(words, 1);
      const isNew = requested > answered;
      answered = requested;
      return isNew;
    },
  };
}
