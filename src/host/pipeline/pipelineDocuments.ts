/** @file Open pipeline files -> what the dataset process says of their text: asked once a version, problems shown as they come. */
import * as vscode from 'vscode';
import { TuneError } from '../../shared/errors.ts';
import { pipelineFilePattern } from '../../shared/pipeline.ts';
import type { PipelineCheck, TextRange } from '../../shared/pipelineOutline.ts';
import type { Services } from '../services.ts';

/** The editor asks providers for these alone; YAML and JSON files of other names stay as they are. */
export const pipelineSelector: vscode.DocumentSelector = [{ scheme: 'file', pattern: '**/*.pipeline.{yaml,yml,json}' }];
const settledMs = 300;

type Checked = PipelineCheck;

export class PipelineDocuments implements vscode.Disposable {
  private readonly diagnostics = vscode.languages.createDiagnosticCollection('tuning-fork-pipeline');
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly checks = new Map<
    string,
    { readonly version: number; readonly check: Promise<Checked | undefined> }
  >();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChange = this.changed.event;

  constructor(private readonly services: () => Services) {
    const { workspace } = vscode;
    this.subscriptions = [
      this.diagnostics,
      this.changed,
      workspace.onDidOpenTextDocument(document => this.schedule(document, 0)),
      workspace.onDidChangeTextDocument(({ document }) => this.schedule(document, settledMs)),
      workspace.onDidSaveTextDocument(document => this.schedule(document, 0)),
      workspace.onDidCloseTextDocument(document => this.forget(document)),
    ];
    for (const document of workspace.textDocuments) this.schedule(document, 0);
  }

  dispose(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  /** Undefined where the process could not say. */
  check(document: vscode.TextDocument): Promise<Checked | undefined> {
    const key = document.uri.toString();
    const known = this.checks.get(key);
    if (known?.version === document.version) return known.check;
    const check = this.ask(document);
    this.checks.set(key, { version: document.version, check });
    return check;
  }

  private async ask(document: vscode.TextDocument): Promise<Checked | undefined> {
    const { dataset, log } = this.services();
    try {
      return await dataset.call('pipeline/check', { path: document.uri.fsPath, text: document.getText() });
    } catch (error) {
      if (!(error instanceof TuneError)) throw error;
      log.warn(`${document.uri.fsPath}: ${error.message}`);
      return undefined;
    }
  }

  private schedule(document: vscode.TextDocument, delayMs: number): void {
    if (!isPipeline(document)) return;
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => void this.refresh(document), delayMs),
    );
  }

  private async refresh(document: vscode.TextDocument): Promise<void> {
    // Files named in it may have come or gone.
    this.checks.delete(document.uri.toString());
    const { version } = document;
    const check = await this.check(document);
    if (check === undefined || document.isClosed || document.version !== version) return;
    this.diagnostics.set(
      document.uri,
      check.problems.map(({ severity, range, message, hint }) => {
        const level = severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
        const diagnostic = new vscode.Diagnostic(toRange(range), `${message}\n${hint}`, level);
        diagnostic.source = 'Tuning Fork';
        return diagnostic;
      }),
    );
    this.changed.fire();
  }

  private forget(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    this.checks.delete(key);
    this.diagnostics.delete(document.uri);
  }
}

export function isPipeline({ uri }: Pick<vscode.TextDocument, 'uri'>): boolean {
  return uri.scheme === 'file' && pipelineFilePattern.test(uri.path);
}

export function toRange({ line, column, endLine, endColumn }: TextRange): vscode.Range {
  return new vscode.Range(line - 1, column - 1, endLine - 1, endColumn - 1);
}
