/** @file The trained parameters as they are -> `adapter/` or `model/` of the run, replaced whole. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runNames } from '../../../shared/runFolder.ts';
import { writeModelCard } from '../../adapter/modelCard.ts';
import { outputFiles } from '../../adapter/outputFolder.ts';
import { writeStagedFile } from '../../formats/stagedFile.ts';
import { type FolderFileSystem, recoverFolder, replaceFolder } from '../../train/stagedFolder.ts';
import type { TrainableParameter } from '../../train/trainingEngine.ts';
import type { TrainState } from '../../train/trainState.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';

export class OutputWriter {
  readonly folder: string;
  private readonly prepared: PreparedRun;
  private readonly name: string;
  private readonly parameters: readonly TrainableParameter[];
  private readonly fileSystem: FolderFileSystem;

  constructor(
    run: string,
    prepared: PreparedRun,
    name: string,
    parameters: readonly TrainableParameter[],
    fileSystem: FolderFileSystem,
  ) {
    const isLora = prepared.record.hyperparameters.method === 'lora';
    this.folder = join(run, isLora ? runNames.adapter : runNames.model);
    this.prepared = prepared;
    this.name = name;
    this.parameters = parameters;
    this.fileSystem = fileSystem;
  }

  exists(): boolean {
    return existsSync(this.folder);
  }

  /** Finishes what a killed process began. */
  recover(): void {
    recoverFolder(this.folder, this.fileSystem);
  }

  /** @throws TuneError `disk-full` | `not-writable`; the version before stands then */
  write(state: TrainState): void {
    const { model, architecture, sides, start } = this.prepared;
    const files = outputFiles({
      parameters: this.parameters,
      facts: this.facts(state),
      tokenizer: model.tokenizer,
      chatTemplate: sides.template.text,
      layers: architecture.config.layers,
      stacked: start?.stacked,
      config: model.config,
      generationConfig: model.generationConfig,
    });
    replaceFolder(this.folder, files, this.fileSystem);
  }

  /** The same weights with the run's final numbers beside them. */
  rewriteCard(state: TrainState): void {
    const text = new TextEncoder().encode(writeModelCard(this.facts(state)));
    writeStagedFile(join(this.folder, 'README.md'), [text], this.fileSystem);
  }

  private facts(state: TrainState) {
    return { ...this.prepared.record, name: this.name, state };
  }
}
