/** @file The panel of a dataset: what is in it, what is wrong with it, and the queue in which people review its rows. */
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { toWireError } from '../../shared/errors.ts';
import { defaultHyperparameters } from '../../shared/hyperparameters.ts';
import { type DatasetMessage, type DatasetState, datasetMessageSchema } from '../../shared/pages.ts';
import type { ReviewStateName } from '../../shared/review.ts';
import { iconPath } from '../icons.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { openPage, postSnapshot } from './webviewPage.ts';

const panelType = 'tuningFork.dataset';
const shownRows = 20;
const panels = new Map<string, DatasetPanel>();

export function openDatasetPanel(services: Services, path: string): void {
  const known = panels.get(path);
  if (known !== undefined) {
    known.reveal();
    return;
  }
  const panel = vscode.window.createWebviewPanel(panelType, basename(path), vscode.ViewColumn.Active, {});
  panels.set(path, new DatasetPanel(services, path, panel));
  panel.onDidDispose(() => panels.delete(path));
}

class DatasetPanel {
  private state: DatasetState;
  private queue: { state: ReviewStateName; offset: number } = { state: 'pending', offset: 0 };
  private readonly closed = new AbortController();

  constructor(
    private readonly services: Services,
    private readonly path: string,
    private readonly panel: vscode.WebviewPanel,
  ) {
    const name = basename(path);
    const nothing = { inspection: null, lengths: null, checks: null, review: null, busy: null, error: null };
    this.state = { path, name, ...nothing };
    const page = openPage({
      webview: panel.webview,
      extensionFolder: services.context.extensionPath,
      page: 'dataset',
      title: name,
      restore: {},
      schema: datasetMessageSchema,
      receive: message => this.receive(message),
      log: services.log,
    });
    panel.iconPath = iconPath(services.context, 'run');
    panel.onDidChangeViewState(() => this.post());
    panel.onDidDispose(() => {
      this.closed.abort();
      page.dispose();
    });
    void this.read();
  }

  reveal(): void {
    this.panel.reveal();
    void this.read();
  }

  private async read(): Promise<void> {
    const { path } = this;
    const model = this.services.form.snapshot().model || 'tiny';
    const { contextTokens } = defaultHyperparameters;
    await this.work(vscode.l10n.t('Reading'), async signal => {
      const inspect = { path, mapping: null, model, contextTokens };
      this.update({ inspection: await this.services.dataset.call('dataset/inspect', inspect, signal) });
      await this.showQueue(signal);
      const lengths = { path, model, contextTokens };
      this.update({ lengths: await this.services.dataset.call('dataset/lengths', lengths, signal) });
    });
  }

  private async showQueue(signal: AbortSignal): Promise<void> {
    const request = { path: this.path, ...this.queue, limit: shownRows };
    const review = await this.services.dataset.call('review/page', request, signal);
    this.queue = { state: review.state, offset: review.offset };
    this.update({ review });
  }

  private async receive(message: DatasetMessage): Promise<void> {
    const { path } = this;
    switch (message.type) {
      case 'page/ready':
        return this.post();
      case 'dataset/check':
        return await this.work(vscode.l10n.t('Checking'), async signal => {
          const checks = await this.services.dataset.call('dataset/check', { path, mapping: null }, signal);
          this.services.findings.show(path, checks);
          this.update({ checks });
        });
      case 'dataset/clean':
        return void (await vscode.commands.executeCommand('tuningFork.dataset.clean', vscode.Uri.file(path)));
      case 'dataset/fineTune':
        return void (await vscode.commands.executeCommand('tuningFork.fineTune', vscode.Uri.file(path)));
      case 'dataset/openLine':
        return await this.openLine(message.file, message.line);
      case 'dataset/showReview':
        this.queue = { state: message.state, offset: message.offset };
        return await this.work(vscode.l10n.t('Reading'), signal => this.showQueue(signal));
      case 'dataset/decide':
        requireTrust();
        return await this.work(vscode.l10n.t('Writing the review'), async signal => {
          const { key, decision, note, answer } = message;
          const reviewer = userInfo().username;
          await this.services.dataset.call('review/set', { path, key, decision, reviewer, note, answer }, signal);
          await this.showQueue(signal);
        });
    }
  }

  /** Only files that were read: names come from a page. */
  private async openLine(file: string, line: number): Promise<void> {
    const { checks, review, inspection } = this.state;
    const known = new Set([
      this.path,
      ...(inspection?.problems.map(problem => problem.file) ?? []),
      ...(checks?.checks.flatMap(check => check.findings.map(finding => finding.file)) ?? []),
      ...(review?.rows.map(row => row.file) ?? []),
    ]);
    if (!known.has(file)) return;
    const selection = new vscode.Range(line - 1, 0, line - 1, 0);
    await vscode.window.showTextDocument(vscode.Uri.file(file), { selection, viewColumn: vscode.ViewColumn.Beside });
  }

  private async work(what: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.update({ busy: what, error: null });
    try {
      await work(this.closed.signal);
      this.update({ busy: null });
    } catch (error) {
      if (!this.closed.signal.aborted) this.update({ busy: null, error: toWireError(error) });
    }
  }

  private update(change: Partial<DatasetState>): void {
    this.state = { ...this.state, ...change };
    this.post();
  }

  private post(): void {
    if (!this.closed.signal.aborted && this.panel.visible) {
      postSnapshot(this.panel.webview, { type: 'dataset/state', state: this.state });
    }
  }
}
