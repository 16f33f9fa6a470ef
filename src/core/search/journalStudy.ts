/** @file A study in Optuna's journal: its trials as all who write there see them, and the operations of one writer. */
import { randomUUID } from 'node:crypto';
import { toOptunaJson } from './distributions.ts';
import { JournalFile } from './journalFile.ts';
import { operationCodes } from './journalLines.ts';
import { JournalReplay, type StudyState } from './replayJournal.ts';
import type { Direction, Parameter, Trial } from './trial.ts';

export interface StudyPlace {
  /** Absolute path of the journal; made when there is none. */
  readonly path: string;
  readonly name: string;
  readonly direction: Direction;
  /** What the value is, for those who show the study. */
  readonly metric: string;
}

/** A journal's way of saying when. */
const now = (): string => `${new Date().toISOString().slice(0, -1)}000+00:00`;
const stateCodes = { complete: 1, pruned: 2, failed: 3 } as const;

export class JournalStudy {
  private readonly worker = randomUUID();
  private readonly replay = new JournalReplay();

  private constructor(
    private readonly file: JournalFile,
    private readonly place: StudyPlace,
  ) {}

  /** Goes on with the study of that name where there is one. @throws TuneError `run-invalid` | `disk-full` | `not-writable` */
  static async open(place: StudyPlace): Promise<JournalStudy> {
    const study = new JournalStudy(new JournalFile(place.path), place);
    study.catchUp();
    if (study.replay.findStudy(place.name) === undefined) {
      await study.write(operationCodes.createStudy, {
        study_name: place.name,
        directions: [place.direction === 'minimize' ? 1 : 2],
      });
      await study.write(operationCodes.studySystemAttribute, {
        study_id: study.state.id,
        system_attr: { 'study:metric_names': [place.metric] },
      });
    }
    return study;
  }

  get path(): string {
    return this.place.path;
  }

  get name(): string {
    return this.place.name;
  }

  get direction(): Direction {
    return this.state.direction;
  }

  /** As of the journal's end now. */
  trials(): readonly Trial[] {
    this.catchUp();
    return this.state.trials;
  }

  /** A trial to be tried before any that a sampler thinks of. */
  async enqueue(values: Readonly<Record<string, unknown>>): Promise<void> {
    await this.write(operationCodes.createTrial, {
      study_id: this.state.id,
      datetime_start: null,
      state: 4,
      value: null,
      values: null,
      distributions: {},
      params: {},
      user_attrs: {},
      system_attrs: { fixed_params: values },
      intermediate_values: {},
    });
  }

  /** The first waiting trial that nobody else claims, else a new one; running from now on. */
  async begin(): Promise<Trial> {
    for (const waiting of this.trials().filter(({ state }) => state === 'waiting')) {
      await this.write(operationCodes.state, {
        trial_id: waiting.id,
        state: 0,
        values: null,
        datetime_start: now(),
      });
      if (this.replay.newestOf(this.worker)?.id === waiting.id) return waiting;
    }
    await this.write(operationCodes.createTrial, { study_id: this.state.id, datetime_start: now() });
    return this.replay.newestOf(this.worker)!;
  }

  setParameter(trial: Trial, name: string, { internal, distribution }: Parameter): Promise<void> {
    return this.write(operationCodes.parameter, {
      trial_id: trial.id,
      param_name: name,
      param_value_internal: internal,
      distribution: toOptunaJson(distribution),
    });
  }

  report(trial: Trial, step: number, value: number): Promise<void> {
    return this.write(operationCodes.intermediate, { trial_id: trial.id, step, intermediate_value: value });
  }

  setUserAttribute(trial: Trial, name: string, value: unknown): Promise<void> {
    return this.write(operationCodes.trialUserAttribute, { trial_id: trial.id, user_attr: { [name]: value } });
  }

  setSystemAttribute(trial: Trial, name: string, value: unknown): Promise<void> {
    return this.write(operationCodes.trialSystemAttribute, { trial_id: trial.id, system_attr: { [name]: value } });
  }

  /** Optuna's TPE breaks on a complete trial without a value. */
  end(trial: Trial, state: 'complete' | 'pruned' | 'failed', value?: number): Promise<void> {
    if (state === 'complete' && value === undefined) throw new Error('journal: a complete trial needs a value');
    return this.write(operationCodes.state, {
      trial_id: trial.id,
      state: stateCodes[state],
      values: value === undefined ? null : [value],
      datetime_complete: now(),
    });
  }

  private get state(): StudyState {
    const state = this.replay.findStudy(this.place.name);
    if (state === undefined) throw new Error(`journal: the study ${this.place.name} was deleted`);
    return state;
  }

  private async write(code: number, fields: Readonly<Record<string, unknown>>): Promise<void> {
    await this.file.append([{ op_code: code, worker_id: this.worker, ...fields }]);
    this.catchUp();
  }

  private catchUp(): void {
    for (const operation of this.file.readNew()) this.replay.apply(operation);
  }
}
