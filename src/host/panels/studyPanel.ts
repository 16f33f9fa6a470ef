/** @file The panel of a search: fed with complete snapshots of its study while it can be seen. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type StudyMessage, type StudyState, studyMessageSchema } from '../../shared/pages.ts';
import { searchNames } from '../../shared/studySnapshot.ts';
import { iconPath } from '../icons.ts';
import { revealFolder } from '../revealFolder.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { Throttle } from './throttle.ts';
import { openPage, postSnapshot } from './webviewPage.ts';

const snapshotIntervalMs = 400;

export class StudyPanel {
  private readonly throttle = new Throttle(snapshotIntervalMs, () => this.post());

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly run: RunReader,
    private readonly services: Services,
  ) {
    const { stores, controls, context, log } = services;
    const subscriptions = [
      openPage({
        webview: panel.webview,
        extensionFolder: context.extensionPath,
        page: 'study',
        title: run.name,
        restore: { run: run.path },
        schema: studyMessageSchema,
        receive: message => this.receive(message),
        log,
      }),
      stores.onDidChange(({ run: changed, change }) => {
        if (changed.path !== run.path) return;
        if (change === 'removed') panel.dispose();
        else this.throttle.request();
      }),
      controls.onDidChange(changed => changed.path === run.path && this.throttle.request()),
      this.throttle,
    ];
    panel.iconPath = iconPath(context, 'run');
    panel.onDidChangeViewState(() => this.throttle.request());
    panel.onDidDispose(() => {
      for (const subscription of subscriptions) subscription.dispose();
    });
    void stores.refresh().then(() => this.throttle.request());
  }

  reveal(): void {
    this.panel.reveal();
  }

  private post(): void {
    if (!this.panel.visible) return;
    this.panel.title = this.run.name;
    postSnapshot(this.panel.webview, { type: 'study/state', state: this.takeSnapshot() });
  }

  private takeSnapshot(): StudyState {
    const { run, services } = this;
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
    const winner = this.run.study?.winner;
    return winner === undefined || winner === null ? undefined : this.findTrial(winner.run);
  }

  /** Only runs of the same store: the id comes from a page. */
  private findTrial(id: string): RunReader | undefined {
    return this.services.stores.findStore(this.run.store)?.find(id);
  }

  private async receive(message: StudyMessage): Promise<void> {
    const { run, services } = this;
    switch (message.type) {
      case 'page/ready':
        return this.throttle.request();
      case 'study/control':
        if (message.action === 'resume') requireTrust();
        return await services.controls.request(run, message.action);
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
