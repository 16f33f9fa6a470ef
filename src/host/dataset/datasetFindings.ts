/** @file Findings of a check -> the Problems view, one problem a row with its line; a new check of the dataset replaces them. */
import * as vscode from 'vscode';
import type { CheckFinding, CheckReport } from '../../shared/datasetChecks.ts';
import { datasetExtension } from '../../shared/datasetFormats.ts';

export class DatasetFindings {
  private readonly collection = vscode.languages.createDiagnosticCollection('tuning-fork-dataset');
  private readonly filesByDataset = new Map<string, readonly vscode.Uri[]>();

  show(dataset: string, { checks }: CheckReport): void {
    for (const uri of this.filesByDataset.get(dataset) ?? []) this.collection.delete(uri);
    const byFile = new Map<string, vscode.Diagnostic[]>();
    for (const { step, findings } of checks) {
      for (const finding of findings) {
        const held = byFile.get(finding.file) ?? [];
        byFile.set(finding.file, held);
        held.push(toDiagnostic(finding, step));
      }
    }
    const uris = [...byFile].map(([file, diagnostics]) => {
      const uri = vscode.Uri.file(file);
      this.collection.set(uri, diagnostics);
      return uri;
    });
    this.filesByDataset.set(dataset, uris);
  }

  dispose(): void {
    this.collection.dispose();
  }
}

function toDiagnostic({ check, file, line, message, relatedLine }: CheckFinding, step: string): vscode.Diagnostic {
  const text = message.startsWith(`${file}:${line}: `) ? message.slice(`${file}:${line}: `.length) : message;
  // Rows of Parquet have numbers, not lines that an editor could show.
  const at = datasetExtension(file) === 'parquet' ? 1 : line;
  const diagnostic = new vscode.Diagnostic(lineRange(at), `${text} (${step})`, vscode.DiagnosticSeverity.Warning);
  diagnostic.source = 'Tuning Fork';
  diagnostic.code = check;
  if (relatedLine !== null) {
    const place = new vscode.Location(vscode.Uri.file(file), lineRange(relatedLine));
    diagnostic.relatedInformation = [new vscode.DiagnosticRelatedInformation(place, vscode.l10n.t('the other row'))];
  }
  return diagnostic;
}

function lineRange(line: number): vscode.Range {
  return new vscode.Range(line - 1, 0, line - 1, Number.MAX_SAFE_INTEGER);
}
