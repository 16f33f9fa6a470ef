/** @file Pipeline files in the editor: outline, completion, hover, and what can be started from each stage. */
import * as vscode from 'vscode';
import type { PipelineCompletion, PipelineHelp } from '../../shared/pipelineOutline.ts';
import type { Services } from '../services.ts';
import { PipelineDocuments, pipelineSelector, toRange } from './pipelineDocuments.ts';

export function registerPipelineLanguage(services: () => Services): vscode.Disposable {
  const documents = new PipelineDocuments(services);
  const help = (document: vscode.TextDocument, position: vscode.Position): Promise<PipelineHelp> =>
    services().dataset.call('pipeline/help', {
      text: document.getText(),
      line: position.line + 1,
      column: position.character + 1,
    });
  const { languages } = vscode;
  return vscode.Disposable.from(
    documents,
    languages.registerDocumentSymbolProvider(pipelineSelector, {
      provideDocumentSymbols: async document => {
        const check = await documents.check(document);
        return (check?.stages ?? []).map(({ name, detail, range, nameRange }) => {
          const [whole, own] = [toRange(range), toRange(nameRange)];
          return new vscode.DocumentSymbol(name, detail, vscode.SymbolKind.Event, whole.union(own), own);
        });
      },
    }),
    languages.registerCodeLensProvider(pipelineSelector, {
      onDidChangeCodeLenses: documents.onDidChange,
      provideCodeLenses: async document => {
        const check = await documents.check(document);
        return (check?.stages ?? []).flatMap(({ name, range }, index) =>
          makeLenses(document, toRange(range), name, index),
        );
      },
    }),
    languages.registerCompletionItemProvider(
      pipelineSelector,
      {
        provideCompletionItems: async (document, position) =>
          (await help(document, position)).completions.map((completion, index) => toItem(completion, index)),
      },
      ' ',
      '"',
      '{',
    ),
    languages.registerHoverProvider(pipelineSelector, {
      provideHover: async (document, position) => {
        const { hover } = await help(document, position);
        return hover === null ? null : new vscode.Hover(new vscode.MarkdownString(hover.text), toRange(hover.range));
      },
    }),
  );
}

function makeLenses(
  document: vscode.TextDocument,
  range: vscode.Range,
  stage: string,
  index: number,
): vscode.CodeLens[] {
  const run = { title: `$(play) ${vscode.l10n.t('Run pipeline')}`, command: 'tuningFork.pipeline.run' };
  const restart = {
    title: `$(debug-restart) ${vscode.l10n.t('Restart from here')}`,
    command: 'tuningFork.pipeline.restart',
  };
  return [
    ...(index === 0 ? [new vscode.CodeLens(range, { ...run, arguments: [document.uri] })] : []),
    new vscode.CodeLens(range, { ...restart, arguments: [{ file: document.uri.fsPath, stage }] }),
  ];
}

function toItem(
  { label, detail, documentation, insertText, kind }: PipelineCompletion,
  index: number,
): vscode.CompletionItem {
  const { Property, Value } = vscode.CompletionItemKind;
  const item = new vscode.CompletionItem(label, kind === 'property' ? Property : Value);
  item.detail = detail;
  item.documentation = new vscode.MarkdownString(documentation);
  item.insertText = insertText;
  // The table's order says more than the alphabet's.
  item.sortText = String(index).padStart(3, '0');
  return item;
}
