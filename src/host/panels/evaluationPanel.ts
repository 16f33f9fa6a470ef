/** @file The panel of an evaluation: figures, and the rows that a filter leaves, as complete snapshots while it can be seen. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { EvaluationRecord, EvaluationRequest } from '../../shared/evaluation.ts';
import { type EvaluationResult, evaluationNames, evaluationResultSchema } from '../../shared/evaluationFiles.ts';
import type { RowFilter } from '../../shared/evaluationView.ts';
import { type EvaluationMessage, type EvaluationState, evaluationMessageSchema } from '../../shared/pages.ts';
import { EvaluationBook } from '../evaluation/evaluationRows.ts';
import { revealFolder } from '../revealFolder.ts';
import { FileTail } from '../runs/fileTail.ts';
import { readJsonFile } from '../runs/readJsonFile.ts';
import { controlShownRun, followRun, type ShownRun } from './followRun.ts';
import type { Throttle } from './throttle.ts';

const snapshotIntervalMs = 400;
const lookMs = 1000;

export class EvaluationPanel {
  private readonly book = new EvaluationBook();
  private readonly tail: FileTail;
  private readonly throttle: Throttle;
  private result: EvaluationResult | null = null;
  private filter: RowFilter | undefined;
  private opened: number | null = null;

  constructor(private readonly shown: ShownRun) {
    this.tail = new FileTail(this.pathOf(evaluationNames.answers));
    const timer = setInterval(() => void this.look(), lookMs);
    this.throttle = followRun(shown, {
      page: 'evaluation',
      schema: evaluationMessageSchema,
      intervalMs: snapshotIntervalMs,
      takeSnapshot: () => ({ type: 'evaluation/state', state: this.takeSnapshot() }),
      receive: message => this.receive(message),
      also: [{ dispose: () => clearInterval(timer) }],
    });
    void this.look();
  }

  reveal(): void {
    this.shown.panel.reveal();
  }

  private pathOf(name: string): string {
    return join(this.shown.run.path, evaluationNames.folder, name);
  }

  /** Reads what came since the last look. */
  private async look(): Promise<void> {
    if (!this.shown.panel.visible) return;
    const { lines, restarted } = await this.tail.read().catch(() => ({ lines: [], restarted: false }));
    if (restarted) this.book.clear();
    this.book.add(lines);
    const hadResult = this.result !== null;
    if (!hadResult)
      this.result = (await readJsonFile(this.pathOf(evaluationNames.metrics), evaluationResultSchema)) ?? null;
    if (restarted || lines.length > 0 || hadResult !== (this.result !== null)) this.throttle.request();
  }

  private source(): EvaluationRecord | EvaluationRequest | undefined {
    const source = this.shown.run.stored ?? this.shown.run.storedRequest;
    return source?.kind === 'evaluate' ? source : undefined;
  }

  private takeSnapshot(): EvaluationState {
    const { run, services } = this.shown;
    const source = this.source();
    const candidates = (source?.candidates ?? []).map(({ id, kind, label }) => ({ id, kind, label }));
    const { id, name, path, state, status = null } = run;
    return {
      id,
      name,
      path,
      state,
      status,
      model: source === undefined ? '' : typeof source.model === 'string' ? source.model : source.model.id,
      rowCount: source !== undefined && 'rowCount' in source ? source.rowCount : null,
      candidates,
      result: this.result,
      rows: this.book.list(this.filter ?? defaultFilter(candidates), this.opened),
      pendingControl: services.controls.pendingOf(run),
      hasReport: existsSync(this.pathOf(evaluationNames.markdown)),
      error: services.controls.errorOf(run),
    };
  }

  private async receive(message: EvaluationMessage): Promise<void> {
    switch (message.type) {
      case 'evaluation/control':
        return await controlShownRun(this.shown, message.action);
      case 'evaluation/filter':
        this.filter = message.filter;
        return this.throttle.request();
      case 'evaluation/openRow':
        this.opened = message.row;
        return this.throttle.request();
      case 'evaluation/report':
        return void (await vscode.commands.executeCommand(
          'markdown.showPreview',
          vscode.Uri.file(this.pathOf(evaluationNames.markdown)),
        ));
      case 'evaluation/browse':
        return void (await vscode.env.openExternal(vscode.Uri.file(this.pathOf(evaluationNames.html))));
      case 'evaluation/reveal':
        return await revealFolder(this.shown.run.path);
    }
  }
}

/** The last candidate beside the prompted base, or else the first. */
function defaultFilter(candidates: readonly { id: string; kind: string }[]): RowFilter {
  const opponent = candidates.find(({ kind }) => kind === 'prompted') ?? candidates[0];
  const candidate = candidates.findLast(({ kind }) => kind === 'adapter') ?? candidates.at(-1);
  return { candidate: candidate?.id ?? '', opponent: opponent?.id ?? '', choice: 'all', offset: 0 };
}
