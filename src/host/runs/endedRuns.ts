/** @file State changes of runs -> the ends worth telling, also of runs that ended while no window was open. */
import { isActive, type ShownState } from '../../shared/runState.ts';
import type { RunReader } from './runReader.ts';

export interface ActiveRunMemory {
  read(): readonly string[];
  write(runs: readonly string[]): void;
}

const toldStates: readonly ShownState[] = ['finished', 'failed', 'interrupted'];

export class EndedRuns {
  private active: Set<string>;

  constructor(private readonly memory: ActiveRunMemory) {
    this.active = new Set(memory.read());
  }

  /** Whether this look at the run shows an end that was not told before. */
  note(run: Pick<RunReader, 'path' | 'state'>): boolean {
    const wasActive = this.active.has(run.path);
    const isGoingOn = isActive(run.state) || run.state === 'queued';
    if (isGoingOn === wasActive) return false;
    if (isGoingOn) this.active.add(run.path);
    else this.active.delete(run.path);
    this.memory.write([...this.active]);
    return wasActive && toldStates.includes(run.state);
  }
}
