/** @file The panel of a search: fed with complete snapshots of its study while it can be seen. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type StudyMessage, type StudyState, studyMessageSchema } from '../../shared/pages.ts';
import { searchNames } from '../../shared/studySnapshot.ts';
import { revealFolder } from '../revealFolder.ts';
import type { RunReader } from '../runs/runReader.ts';
import { controlShownRun, followRun, type ShownRun } from './followRun.ts';

const snapshotIntervalMs = 400;

export class StudyPanel {
  constructor(private readonly shown: ShownRun) {
    followRun(shown, {
      page: 'study',
      schema: studyMessageSchema,
      intervalMs: snapshotIntervalMs,
      takeSnapshot: () => ({ type: 'study/state', state: this.takeSnapshot() }),
      receive: message => this.receive(message),
    });
  }

  reveal(): void {
    this.shown.panel.reveal();
  }

  private takeSnapshot(): StudyState {
    const { run, services } = this.shown;
    const { id, name, path, state, status = null, stored, study = null } = run;
    return {
      id,
      name,
      path,
      state,
      status,
      record: stored?.kind === 'search' ? stored : null,
      study,
      pendingControl: services.controls.pendingOf(run),
      hasReport: existsSync(join(path, searchNames.report)),
      canCompare: this.findWinner()?.output !== undefined,
      error: services.controls.errorOf(run),
    };
  }

  private findWinner(): RunReader | undefined {
    const winner = this.shown.run.study?.winner;
    return winner === undefined || winner === null ? undefined : this.findTrial(winner.run);
  }

  /** Only runs of the same store: the id comes from a page. */
  private findTrial(id: string): RunReader | undefined {
    const { run, services } = this.shown;
    return services.stores.findStore(run.store)?.find(id);
  }

  private async receive(message: StudyMessage): Promise<void> {
    const { run, services } = this.shown;
    switch (message.type) {
      case 'study/control':
        return await controlShownRun(this.shown, message.action);
      case 'study/openTrial': {
        const trial = this.findTrial(message.run);
        if (trial !== undefined) services.runPanels.open(trial);
        return;
      }
      case 'study/compare': {
        const winner = this.findWinner();
        if (winner !== undefined) await services.comparePanels.open(winner);
        return;
      }
      case 'study/report':
        return void (await vscode.commands.executeCommand(
          'markdown.showPreview',
          vscode.Uri.file(join(run.path, searchNames.report)),
        ));
      case 'study/reveal':
        return await revealFolder(run.path);
    }
  }
}
