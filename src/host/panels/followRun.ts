/** @file A run -> what its panel shows: complete snapshots while it can be seen, and an end when the run is removed. */
import type * as vscode from 'vscode';
import type { z } from 'zod';
import type { PageState } from '../../shared/pages.ts';
import { iconPath } from '../icons.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { Throttle } from './throttle.ts';
import { openPage, type PageName, postSnapshot } from './webviewPage.ts';

export interface ShownRun {
  readonly panel: vscode.WebviewPanel;
  readonly run: RunReader;
  readonly services: Services;
}

export interface FollowedPage<Message> {
  readonly page: PageName;
  readonly schema: z.ZodType<Message>;
  readonly intervalMs: number | (() => number);
  takeSnapshot(): PageState;
  /** Everything but that the page is ready. */
  receive(message: Message): void | Promise<void>;
  /** Whether a change of another run changes the snapshot too. */
  concerns?(changed: RunReader): boolean;
  /** Ends with the panel; what it sees is shown by `request` of the result. */
  readonly also?: readonly vscode.Disposable[];
}

/** Its `request` shows the run anew, soon. */
export function followRun<Message extends { type: string }>(
  { panel, run, services }: ShownRun,
  page: FollowedPage<Message>,
): Throttle {
  const { stores, controls, context, log } = services;
  const throttle = new Throttle(page.intervalMs, () => {
    if (!panel.visible) return;
    panel.title = run.name;
    postSnapshot(panel.webview, page.takeSnapshot());
  });
  const subscriptions = [
    openPage({
      webview: panel.webview,
      extensionFolder: context.extensionPath,
      page: page.page,
      title: run.name,
      restore: { run: run.path },
      schema: page.schema,
      receive: message => (message.type === 'page/ready' ? throttle.request() : page.receive(message)),
      log,
    }),
    stores.onDidChange(({ run: changed, change }) => {
      if (changed.path === run.path && change === 'removed') panel.dispose();
      else if (changed.path === run.path || page.concerns?.(changed) === true) throttle.request();
    }),
    controls.onDidChange(changed => changed.path === run.path && throttle.request()),
    ...(page.also ?? []),
    throttle,
  ];
  panel.iconPath = iconPath(context, 'run');
  panel.onDidChangeViewState(() => throttle.request());
  panel.onDidDispose(() => {
    for (const subscription of subscriptions) subscription.dispose();
  });
  void stores.refresh().then(() => throttle.request());
  return throttle;
}

/** What a page's buttons ask of the run itself. */
export async function controlShownRun(
  { run, services }: ShownRun,
  action: Parameters<Services['controls']['request']>[1],
) {
  if (action === 'resume') requireTrust();
  await services.controls.request(run, action);
}
