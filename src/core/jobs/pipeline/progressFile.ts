/** @file pipeline.json of a run folder: written whole after every change, so that a killed pipeline goes on from it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type PipelineProgress,
  type PipelineStage,
  pipelineProgressSchema,
  type StageProgress,
} from '../../../shared/pipeline.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { readJson, writeJson } from '../../runs/jsonFile.ts';

export class ProgressFile {
  private readonly path: string;
  private progress: PipelineProgress;

  /** @throws TuneError `run-invalid` */
  constructor(run: string, stages: readonly PipelineStage[]) {
    this.path = join(run, runNames.pipeline);
    this.progress = existsSync(this.path)
      ? readJson(this.path, pipelineProgressSchema)
      : { stages: stages.map(({ name }) => beginStage(name)) };
  }

  get current(): PipelineProgress {
    return this.progress;
  }

  stage(index: number): StageProgress {
    return this.progress.stages[index]!;
  }

  /** @throws TuneError `disk-full` | `not-writable` */
  change(index: number, change: Partial<StageProgress>): void {
    const stages = this.progress.stages.map((stage, i) => (i === index ? { ...stage, ...change } : stage));
    this.progress = { stages };
    writeJson(this.path, this.progress);
  }
}

/** Undefined where there is none, or none that can be read. */
export function readProgress(run: string): PipelineProgress | undefined {
  const path = join(run, runNames.pipeline);
  return existsSync(path) ? readJson(path, pipelineProgressSchema) : undefined;
}

function beginStage(name: string): StageProgress {
  return { name, state: 'waiting', key: null, run: null, outputSha256: null, measures: [] };
}
