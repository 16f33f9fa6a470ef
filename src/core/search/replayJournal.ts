/** @file Operations of Optuna's journal, in order -> its studies and their trials. Ids are never written: they count what was accepted. */
import { fromOptunaJson } from './distributions.ts';
import { type JournalOperation, operationCodes } from './journalLines.ts';
import { type Direction, isFinished, type Parameter, type Trial, type TrialState, trialStates } from './trial.ts';

interface OpenTrial extends Trial {
  state: TrialState;
  value: number | undefined;
  startedAt: string | undefined;
  completedAt: string | undefined;
  readonly parameters: Map<string, Parameter>;
  readonly intermediate: Map<number, number>;
  readonly userAttributes: Map<string, unknown>;
  readonly systemAttributes: Map<string, unknown>;
}

export interface StudyState {
  readonly id: number;
  readonly name: string;
  readonly direction: Direction;
  readonly trials: readonly Trial[];
}

type Study = StudyState & { readonly trials: OpenTrial[] };

export class JournalReplay {
  private readonly studies = new Map<number, Study>();
  private readonly trials: (OpenTrial | undefined)[] = [];
  private studyCount = 0;
  private readonly newest = new Map<string, number>();

  findStudy(name: string): StudyState | undefined {
    return [...this.studies.values()].find(study => study.name === name);
  }

  /** The trial that this worker made or claimed last. */
  newestOf(worker: string): Trial | undefined {
    const id = this.newest.get(worker);
    return id === undefined ? undefined : this.trials[id];
  }

  /** An operation that Optuna would not accept changes nothing here either. */
  apply(operation: JournalOperation): void {
    const { op_code: code } = operation;
    if (code === operationCodes.createStudy) this.createStudy(operation);
    else if (code === operationCodes.deleteStudy) this.studies.delete(operation.study_id as number);
    else if (code === operationCodes.createTrial) this.createTrial(operation);
    else if (typeof operation.trial_id === 'number') this.change(operation, this.trials[operation.trial_id]);
  }

  private createStudy({ study_name: name, directions }: JournalOperation): void {
    if (typeof name !== 'string' || this.findStudy(name) !== undefined) return;
    const id = this.studyCount++;
    const isMaximized = (directions as readonly number[] | undefined)?.[0] === 2;
    this.studies.set(id, { id, name, direction: isMaximized ? 'maximize' : 'minimize', trials: [] });
  }

  private createTrial(operation: JournalOperation): void {
    const study = this.studies.get(operation.study_id as number);
    if (study === undefined) return;
    const trial: OpenTrial = {
      id: this.trials.length,
      number: study.trials.length,
      state: trialStates[(operation.state as number | undefined) ?? 0] ?? 'running',
      parameters: new Map(),
      value: toNumber(operation.value),
      intermediate: new Map(
        Object.entries((operation.intermediate_values as object | undefined) ?? {}).map(([step, value]) => [
          Number(step),
          value as number,
        ]),
      ),
      userAttributes: new Map(Object.entries((operation.user_attrs as object | undefined) ?? {})),
      systemAttributes: new Map(Object.entries((operation.system_attrs as object | undefined) ?? {})),
      startedAt: toText(operation.datetime_start),
      completedAt: toText(operation.datetime_complete),
    };
    const distributions = (operation.distributions ?? {}) as Record<string, string>;
    for (const [name, internal] of Object.entries((operation.params as object | undefined) ?? {})) {
      setParameter(trial, name, internal, distributions[name]);
    }
    this.trials.push(trial);
    study.trials.push(trial);
    if (trial.state === 'running') this.newest.set(operation.worker_id, trial.id);
  }

  private change(operation: JournalOperation, trial: OpenTrial | undefined): void {
    if (trial === undefined || isFinished(trial)) return;
    switch (operation.op_code) {
      case operationCodes.parameter:
        setParameter(
          trial,
          operation.param_name as string,
          operation.param_value_internal,
          operation.distribution as string,
        );
        break;
      case operationCodes.state:
        this.setState(operation, trial);
        break;
      case operationCodes.intermediate:
        trial.intermediate.set(operation.step as number, operation.intermediate_value as number);
        break;
      case operationCodes.trialUserAttribute:
        setAll(trial.userAttributes, operation.user_attr);
        break;
      case operationCodes.trialSystemAttribute:
        setAll(trial.systemAttributes, operation.system_attr);
        break;
    }
  }

  /** A waiting trial is claimed by the first worker whose wish stands in the journal. */
  private setState(operation: JournalOperation, trial: OpenTrial): void {
    const state = trialStates[operation.state as number];
    if (state === undefined) return;
    if (state === 'running') {
      if (trial.state !== 'waiting') return;
      this.newest.set(operation.worker_id, trial.id);
      trial.startedAt = toText(operation.datetime_start);
    }
    trial.state = state;
    trial.value = toNumber((operation.values as readonly unknown[] | null | undefined)?.[0]) ?? trial.value;
    if (isFinished(trial)) trial.completedAt = toText(operation.datetime_complete);
  }
}

function setParameter(trial: OpenTrial, name: string, internal: unknown, distribution: string | undefined): void {
  const known = distribution === undefined ? undefined : fromOptunaJson(distribution);
  if (known !== undefined && typeof internal === 'number') {
    trial.parameters.set(name, { internal, distribution: known });
  }
}

function setAll(attributes: Map<string, unknown>, added: unknown): void {
  for (const [name, value] of Object.entries((added as object | undefined) ?? {})) attributes.set(name, value);
}

const toNumber = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const toText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
