/** @file What a search asks of whoever thinks of trials: the sampler and pruner built in here, or Optuna's in Python. */
import type { SearchSettings } from '../../shared/searchRecord.ts';
import { contains, printInternal } from './distributions.ts';
import type { JournalStudy } from './journalStudy.ts';
import { type Pruner, pruneByHalving, pruneByMedian, pruneNever } from './pruners.ts';
import { createTpeSampler, type Sampler, sampleRandomly } from './samplers.ts';
import type { Trial } from './trial.ts';

export interface Study {
  /** All trials of the study as they stand. */
  trials(): readonly Trial[];
  /** The next trial, running, with its parameters. */
  ask(): Promise<Trial>;
  /** Notes a value on the way; true when the trial is not worth going on. @param step per cent of the run */
  report(trial: Trial, step: number, value: number): Promise<boolean>;
  /** Which run works on the trial. */
  name(trial: Trial, run: string): Promise<void>;
  end(trial: Trial, state: 'complete' | 'pruned' | 'failed', value?: number): Promise<void>;
  close(): Promise<void>;
}

/** Under this name a trial tells its run. */
export const runAttribute = 'run';

export const runOf = ({ userAttributes }: Trial): string | undefined => {
  const run = userAttributes.get(runAttribute);
  return typeof run === 'string' ? run : undefined;
};

/** A trial's settings as texts, as after `--set`. */
export function settingsOf({ parameters }: Trial): Map<string, string> {
  return new Map(
    [...parameters].map(([name, { internal, distribution }]) => [name, printInternal(distribution, internal)]),
  );
}

/**
 * Trials that a kill caught before they had all their parameters end as failed: gone on with they would train other settings
 * than the study says. Settings that were asked for wait again.
 */
export async function endHalfMadeTrials(journal: JournalStudy, space: SearchSettings['space']): Promise<void> {
  const halfMade = journal
    .trials()
    .filter(({ state, parameters }) => state === 'running' && parameters.size < space.length);
  for (const trial of halfMade) {
    const asked = fixedParametersOf(trial);
    if (asked !== undefined) await journal.enqueue(asked);
    await journal.end(trial, 'failed');
  }
}

const fixedParametersOf = ({ systemAttributes }: Trial): Readonly<Record<string, unknown>> | undefined =>
  systemAttributes.get('fixed_params') as Readonly<Record<string, unknown>> | undefined;

export class BuiltInStudy implements Study {
  private readonly sample: Sampler;
  private readonly prune: Pruner;

  constructor(
    private readonly journal: JournalStudy,
    private readonly settings: Pick<SearchSettings, 'space' | 'sampler' | 'pruner' | 'budget' | 'seed'>,
  ) {
    const { sampler, pruner, budget } = settings;
    const startupTrials = Math.min(10, Math.max(4, Math.ceil((budget.trials ?? 30) / 3)));
    this.sample = sampler === 'random' ? sampleRandomly : createTpeSampler({ startupTrials, isMultivariate: false });
    this.prune = pruner === 'none' ? pruneNever : pruner === 'median' ? pruneByMedian : pruneByHalving;
  }

  trials(): readonly Trial[] {
    return this.journal.trials();
  }

  async ask(): Promise<Trial> {
    const { space, seed } = this.settings;
    const trial = await this.journal.begin();
    const { direction } = this.journal;
    const others = this.journal.trials().filter(({ id }) => id !== trial.id);
    const sampled = this.sample({ space, trials: others, direction, seed, number: trial.number });
    const fixed = fixedParametersOf(trial) ?? {};
    for (const { name, distribution } of space) {
      const wanted = fixed[name];
      const asked = distribution.kind === 'choice' ? distribution.choices.indexOf(String(wanted)) : wanted;
      const isGiven = typeof asked === 'number' && contains(distribution, asked);
      await this.journal.setParameter(trial, name, { internal: isGiven ? asked : sampled.get(name)!, distribution });
    }
    return trial;
  }

  async report(trial: Trial, step: number, value: number): Promise<boolean> {
    await this.journal.report(trial, step, value);
    const { isPruned, reached } = this.prune(trial, this.journal.trials(), this.journal.direction);
    for (const { name, value: there } of reached) await this.journal.setSystemAttribute(trial, name, there);
    return isPruned;
  }

  name(trial: Trial, run: string): Promise<void> {
    return this.journal.setUserAttribute(trial, runAttribute, run);
  }

  end(trial: Trial, state: 'complete' | 'pruned' | 'failed', value?: number): Promise<void> {
    return this.journal.end(trial, state, value);
  }

  async close(): Promise<void> {
    // The journal holds no file open.
  }
}
