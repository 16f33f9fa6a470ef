/** @file The sidebar's form: a webview view over the form controller. */
import * as vscode from 'vscode';
import { formMessageSchema } from '../../shared/pages.ts';
import type { FormController } from '../form/formController.ts';
import { Throttle } from '../panels/throttle.ts';
import { openPage, postSnapshot } from '../panels/webviewPage.ts';

export const formViewId = 'tuningFork.form';
const snapshotIntervalMs = 60;

export class FormView implements vscode.WebviewViewProvider {
  constructor(
    private readonly form: FormController,
    private readonly extensionFolder: string,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  resolveWebviewView(view: vscode.WebviewView): void {
    const throttle = new Throttle(snapshotIntervalMs, () => {
      if (view.visible && this.form.isReady)
        postSnapshot(view.webview, { type: 'form/state', state: this.form.snapshot() });
    });
    const subscriptions = [
      openPage({
        webview: view.webview,
        extensionFolder: this.extensionFolder,
        page: 'form',
        title: vscode.l10n.t('Hyperparameters'),
        restore: {},
        schema: formMessageSchema,
        receive: message => this.form.receive(message),
        log: this.log,
      }),
      this.form.onDidChange(() => throttle.request()),
      throttle,
    ];
    view.onDidChangeVisibility(() => throttle.request());
    view.onDidDispose(() => {
      for (const subscription of subscriptions) subscription.dispose();
    });
  }
}
