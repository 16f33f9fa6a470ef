/**
 * @file A pipeline's folder -> its stages trained one after the other, each an ordinary run that starts from the last one's
 * result. A stage whose inputs are unchanged since an earlier pipeline is not trained again. After each stage the held-out
 * sets of all stages so far are measured, so that what was forgotten shows as a number.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { EndpointKeys } from '../../../shared/endpointKeys.ts';
import { TuneError, toWireError } from '../../../shared/errors.ts';
import type { HubSettings } from '../../../shared/hubSettings.ts';
import { type PipelineRecord, type StageProgress, tabulateForgetting } from '../../../shared/pipeline.ts';
import { runNames } from '../../../shared/runFolder.ts';
import type { OpenModelOptions } from '../../models/openModel.ts';
import { readStoredRequest } from '../../runs/runFiles.ts';
import { createRunFolder, listRuns, storeOf } from '../../runs/runStore.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import type { ChildRuns } from '../childRuns.ts';
import { interruptible, JobInterrupted, throwIfInterrupted } from '../interruption.ts';
import type { JobEnd, JobEvent } from '../jobEvents.ts';
import { modelOptions } from '../prepare/checkRun.ts';
import { readQuietly } from '../readQuietly.ts';
import { streamEvents } from '../streamEvents.ts';
import { readPeakRssBytes } from '../train/peakMemory.ts';
import { checkStageData } from './checkStages.ts';
import { childFolder, findUnchanged, readWhole } from './findUnchanged.ts';
import { measureHeldOut } from './measureHeldOut.ts';
import { atStage, identifyModel, preparePipeline } from './preparePipeline.ts';
import { ProgressFile } from './progressFile.ts';
import { computeStageKey } from './stageKey.ts';
import { hasToCompute, makeStageRequest, type StageInputs } from './stageRequest.ts';
import { readResult, type StageResult } from './stageResult.ts';

export interface PipelineJobInput {
  /** The pipeline's run folder. */
  readonly run: string;
  readonly control: Pick<TrainControl, 'ask'>;
  readonly children: ChildRuns;
  readonly hub: HubSettings | undefined;
  readonly tinyFolder: string;
  /** Of endpoints that teach. */
  readonly endpointKeys: EndpointKeys;
}

export function pipelineJob(input: PipelineJobInput): AsyncGenerator<JobEvent, JobEnd> {
  return streamEvents(emit => new PipelineJob(input, emit).work());
}

class PipelineJob {
  private readonly input: PipelineJobInput;
  private readonly emit: (event: JobEvent) => void;
  private readonly models: OpenModelOptions;
  private readonly modelHashes = new Map<string, string>();
  private readonly results: StageResult[] = [];

  constructor(input: PipelineJobInput, emit: (event: JobEvent) => void) {
    this.input = input;
    this.emit = emit;
    this.models = modelOptions({ ...input, onPhase: this.tellPhase }, new AbortController().signal);
  }

  async work(): Promise<JobEnd> {
    const { run, control } = this.input;
    try {
      const record = await interruptible(control, signal =>
        preparePipeline(run, { models: this.models, signal, onPhase: this.tellPhase }),
      );
      const progress = new ProgressFile(run, record.stages);
      this.emit({ kind: 'prepared', record, step: 0, totalSteps: record.stages.length });
      for (const [index, { name }] of record.stages.entries()) {
        throwIfInterrupted(control);
        const result = await atStage(name, () => this.reach(record, progress, index));
        this.results.push(result);
        await atStage(name, () => this.measure(progress, index, result));
        const step = index + 1;
        this.emit({ kind: 'advance', step, totalSteps: record.stages.length, bestStep: null, bestEvalLossNats: null });
      }
      const last = this.results.at(-1)!;
      const result = {
        output: last.output.folder,
        stages: progress.current.stages.map(({ name, state, run: id }) => ({ name, state, run: id })),
        forgetting: tabulateForgetting(progress.current),
      };
      return { ...this.restAt('finished'), output: last.output.folder, result };
    } catch (error) {
      if (error instanceof JobInterrupted) return this.restAt(error.reason);
      throw error;
    }
  }

  /** The stage's result: as it was left, taken over from an earlier pipeline, or trained now. */
  private async reach(record: PipelineRecord, progress: ProgressFile, index: number): Promise<StageResult> {
    const stage = record.stages[index]!;
    const known = progress.stage(index);
    const left = known.run === null ? undefined : await readWhole(stage.name, childFolder(this.input.run, known.run));
    if (left !== undefined && known.outputSha256 === left.outputSha256) return left;
    const inputs: StageInputs = {
      run: this.input.run,
      name: readStoredRequest(this.input.run).name,
      stage,
      previous: this.results.at(-1),
      teacher: this.results.find(({ name }) => stage.teacher?.kind === 'stage' && stage.teacher.stage === name),
    };
    if (known.run === null) {
      this.tell(progress, index, { state: 'preparing' });
      const key = await this.computeKey(inputs);
      progress.change(index, { key });
      const taken = this.isForced(record, index) ? undefined : await this.takeOver(progress, index, key);
      if (taken !== undefined) return taken;
    }
    return this.train(inputs, progress, index);
  }

  private async takeOver(progress: ProgressFile, index: number, key: string): Promise<StageResult | undefined> {
    const { name } = progress.stage(index);
    const found = await findUnchanged(storeOf(this.input.run), name, key);
    if (found === undefined) return undefined;
    const { result } = found;
    // Only losses on sets of the very runs that stand before this stage here.
    const measures = found.progress.measures.flatMap(measure => {
      const own = [...this.results, result].find(({ id }) => id === measure.run);
      return own === undefined ? [] : [{ ...measure, set: own.name }];
    });
    this.emit({ kind: 'note', text: `stage ${name}: its inputs are unchanged since ${result.id}: not trained again` });
    this.tell(progress, index, { state: 'reused', run: result.id, outputSha256: result.outputSha256, measures });
    return result;
  }

  private async train(inputs: StageInputs, progress: ProgressFile, index: number): Promise<StageResult> {
    const { children, control } = this.input;
    const path = await this.findOrMakeRun(inputs, progress, index);
    this.tell(progress, index, { state: 'training' });
    const id = progress.stage(index).run!;
    const end = await children.run(path, {
      onLine: line => this.emit({ kind: 'child', id, line }),
      ask: () => control.ask(),
    });
    if (end.state === 'finished') {
      const result = await readResult(inputs.stage.name, path);
      progress.change(index, { outputSha256: result.outputSha256 });
      return result;
    }
    throwIfInterrupted(control);
    // Somebody paused or stopped the stage's own run: the pipeline rests with it.
    if (end.state === 'paused' || end.state === 'stopped') throw new JobInterrupted(end.state);
    if (end.status === undefined) progress.change(index, { run: null, state: 'waiting' });
    const { code, message, hint, file, line } = end.error ?? toWireError(new Error(`the run ${id} ${end.state}`));
    throw new TuneError(code, message, { hint, file, line });
  }

  /** The run of the stage: one that an earlier attempt made, or a new one. */
  private async findOrMakeRun(inputs: StageInputs, progress: ProgressFile, index: number): Promise<string> {
    const { run, control, children } = this.input;
    const known = progress.stage(index).run;
    if (known !== null && isThere(childFolder(run, known))) return childFolder(run, known);
    const make = () =>
      interruptible(control, signal =>
        makeStageRequest(inputs, {
          models: this.models,
          endpointKeys: this.input.endpointKeys,
          signal,
          onPhase: this.tellPhase,
          onWarning: problem => this.emit({ kind: 'warning', problem }),
        }),
      );
    const request = hasToCompute(inputs) ? await children.withDevice(make) : await make();
    // Made by an attempt that was killed before it could note it.
    const orphan = this.findOrphan(request.name, progress);
    const path = orphan ?? createRunFolder(storeOf(run), request, new Date()).path;
    progress.change(index, { run: basename(path) });
    return path;
  }

  private findOrphan(name: string, progress: ProgressFile): string | undefined {
    const { run } = this.input;
    const noted = new Set(progress.current.stages.map(stage => stage.run));
    return listRuns(storeOf(run)).find(path => {
      const id = basename(path);
      if (id <= basename(run) || noted.has(id)) return false;
      const request = readQuietly(() => readStoredRequest(path));
      return request?.name === name && request.parents.includes(basename(run));
    });
  }

  private async measure(progress: ProgressFile, index: number, result: StageResult): Promise<void> {
    const { control, children } = this.input;
    const { state, measures } = progress.stage(index);
    const measured = new Set(measures.map(({ run }) => run));
    const isWhole = this.results.every(({ id }) => measured.has(id));
    const rests = state === 'reused' ? 'reused' : 'finished';
    if (!isWhole && !(state === 'finished' && measures.length > 0)) {
      if (state !== 'reused') this.tell(progress, index, { state: 'measuring' });
      const onProgress = (set: string, done: number, total: number) =>
        this.tellPhase(`measuring the held-out rows of ${set}`, done, total);
      const found = await children.withDevice(() =>
        interruptible(control, signal =>
          measureHeldOut(result, this.results, { models: this.models, onProgress, signal }),
        ),
      );
      progress.change(index, { measures: found });
    }
    this.tell(progress, index, { state: rests });
    this.tellForgetting(progress, index);
  }

  private tellForgetting(progress: ProgressFile, index: number): void {
    const { sets, rows } = tabulateForgetting(progress.current);
    const { name } = progress.stage(index);
    for (const [i, cell] of (rows.find(({ stage }) => stage === name)?.cells ?? []).entries()) {
      if (cell !== null) this.emit({ kind: 'line', line: { type: 'forgetting', stage: name, set: sets[i]!, ...cell } });
    }
  }

  private async computeKey({ stage, previous, teacher }: StageInputs): Promise<string> {
    const from = stage.model === null ? describeResult(previous!) : await this.hashModel(stage.model);
    const hashTeacher = async () => {
      if (stage.teacher?.kind === 'endpoint') return `${stage.teacher.model} at ${stage.teacher.baseUrl}`;
      return stage.teacher?.kind === 'model' ? this.hashModel(stage.teacher.model) : describeResult(teacher!);
    };
    const { sha256 } = await interruptible(this.input.control, signal => checkStageData(stage, signal));
    return computeStageKey(stage, {
      datasets: sha256,
      from,
      teacher: stage.teacher === null ? null : await hashTeacher(),
    });
  }

  private async hashModel(name: string): Promise<string> {
    const known = this.modelHashes.get(name);
    if (known !== undefined) return known;
    const { sha256 } = await interruptible(this.input.control, signal =>
      identifyModel(name, { models: this.models, signal }),
    );
    this.modelHashes.set(name, sha256);
    return sha256;
  }

  /** From the stage on from which a person wants everything anew. */
  private isForced({ stages, restartFrom }: PipelineRecord, index: number): boolean {
    const from = stages.findIndex(({ name }) => name === restartFrom);
    return from >= 0 && index >= from;
  }

  private readonly tellPhase = (name: string, done: number, total: number): void => {
    this.emit({ kind: 'phase', name, done, total });
  };

  private tell(progress: ProgressFile, index: number, change: Partial<StageProgress>): void {
    const before = progress.stage(index).state;
    progress.change(index, change);
    const { name, state, run } = progress.stage(index);
    const total = progress.current.stages.length;
    if (state !== before) this.emit({ kind: 'line', line: { type: 'stage', stage: name, index, total, state, run } });
  }

  private restAt(reason: 'finished' | 'paused' | 'stopped'): JobEnd {
    const figures = { baseEvalLossNats: null, bestEvalLossNats: null, bestStep: null };
    return { reason, step: this.results.length, output: null, ...figures, peakRssBytes: readPeakRssBytes() };
  }
}

/** The weights that came out, and those that they stand on. */
function describeResult({ outputSha256, output, record }: StageResult): string {
  return output.kind === 'model' ? outputSha256 : `${outputSha256} on ${record.model.sha256}`;
}

const isThere = (run: string): boolean => existsSync(join(run, runNames.status));
