/** @file Answers as read-only documents that grow while they are written. */
import * as vscode from 'vscode';
import { Throttle } from '../panels/throttle.ts';

const scheme = 'tuning-fork-answer';
const refreshMs = 100;

export class AnswerDocuments implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly emitter = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscription: vscode.Disposable;
  readonly onDidChange = this.emitter.event;

  constructor() {
    this.subscription = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => uri.scheme === scheme && this.texts.delete(uri.toString())),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  /** The document of this name, empty again, beside the active editor; and what adds to it. */
  async open(name: string): Promise<{ add(text: string): void; end(): void }> {
    const uri = vscode.Uri.from({ scheme, path: `/${name}.md` });
    const key = uri.toString();
    const throttle = new Throttle(refreshMs, () => this.emitter.fire(uri));
    const set = (text: string) => {
      this.texts.set(key, text);
      throttle.request();
    };
    set('');
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: false,
    });
    return {
      add: text => set((this.texts.get(key) ?? '') + text),
      end: () => {
        throttle.dispose();
        this.emitter.fire(uri);
      },
    };
  }

  dispose(): void {
    this.subscription.dispose();
    this.emitter.dispose();
  }
}
