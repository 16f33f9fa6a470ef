/** @file The study and what it has cost so far -> study.json, kept as the search goes on and read again when it is resumed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SearchRecord } from '../../../shared/searchRecord.ts';
import {
  type StudySnapshot,
  type StudyWinner,
  searchNames,
  studySnapshotSchema,
} from '../../../shared/studySnapshot.ts';
import { readJson, writeJson } from '../../runs/jsonFile.ts';
import { measureImportance } from '../../search/importance.ts';
import { runOf, type Study, settingsOf } from '../../search/study.ts';
import { type Direction, findBest, isFinished, type Trial } from '../../search/trial.ts';

export class StudyBook {
  winner: StudyWinner | null;
  private readonly path: string;
  private readonly tokensByTrial = new Map<number, number>();
  private readonly earlierTokens: number;
  private readonly earlierMs: number;
  private readonly startedMs: number;

  constructor(
    run: string,
    private readonly record: SearchRecord,
    readonly study: Study,
    private readonly now: () => number,
  ) {
    this.path = join(run, searchNames.study);
    const kept = existsSync(this.path) ? readJson(this.path, studySnapshotSchema) : undefined;
    this.winner = kept?.winner ?? null;
    this.earlierTokens = kept?.tokens ?? 0;
    this.earlierMs = kept?.elapsedMs ?? 0;
    this.startedMs = now();
  }

  get direction(): Direction {
    return directionOf(this.record);
  }

  get elapsedMs(): number {
    return this.earlierMs + this.now() - this.startedMs;
  }

  get tokens(): number {
    return [...this.tokensByTrial.values()].reduce((sum, tokens) => sum + tokens, this.earlierTokens);
  }

  /** What a trial of this attempt has trained on. */
  noteTokens(trial: Trial, tokens: number): void {
    this.tokensByTrial.set(trial.number, tokens);
  }

  get finished(): number {
    return this.study.trials().filter(isFinished).length;
  }

  /** The best complete trial, else the best of what was measured of others. */
  findBest(): Trial | undefined {
    return findBest(this.study.trials(), this.direction);
  }

  /** Trials are waited for no longer when one of the budgets is spent. */
  isSpent(): boolean {
    const { trials, minutes, tokens } = this.record.settings.budget;
    const begun = this.study.trials().filter(({ state }) => state !== 'waiting').length;
    return (
      (trials !== null && begun >= trials) ||
      (minutes !== null && this.elapsedMs >= minutes * 60_000) ||
      (tokens !== null && this.tokens >= tokens)
    );
  }

  /** Whether also the trials under way are to end: time and tokens are not to be exceeded. */
  isOverdrawn(): boolean {
    const { minutes, tokens } = this.record.settings.budget;
    return (minutes !== null && this.elapsedMs >= minutes * 60_000) || (tokens !== null && this.tokens >= tokens);
  }

  /** @throws TuneError `disk-full` | `not-writable` */
  write(): StudySnapshot {
    const trials = this.study.trials();
    const snapshot: StudySnapshot = {
      direction: this.direction,
      trials: trials.map(trial => ({
        number: trial.number,
        state: trial.state,
        run: runOf(trial) ?? null,
        settings: Object.fromEntries(settingsOf(trial)),
        value: trial.value ?? null,
        curve: [...trial.intermediate].sort(([a], [b]) => a - b),
      })),
      importance: measureImportance(this.record.settings.space, trials, this.direction),
      best: this.findBest()?.number ?? null,
      winner: this.winner,
      elapsedMs: this.elapsedMs,
      tokens: this.tokens,
    };
    writeJson(this.path, snapshot, false);
    return snapshot;
  }
}

export const directionOf = ({ settings }: Pick<SearchRecord, 'settings'>): Direction =>
  settings.metric === 'heldOutLoss' ? 'minimize' : 'maximize';
