/** @file One of our pages in a webview: its locked-down document, snapshots down, checked messages up. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { z } from 'zod';
import type { PageState } from '../../shared/pages.ts';
import { showError } from '../showError.ts';

export type PageName = 'form' | 'run' | 'study' | 'evaluation' | 'compare' | 'dataset';

export interface PageOptions<Message> {
  webview: vscode.Webview;
  extensionFolder: string;
  page: PageName;
  title: string;
  /** Kept for the serializer beside what the page itself keeps. */
  restore: Record<string, string>;
  schema: z.ZodType<Message>;
  receive(message: Message): void | Promise<void>;
  log: vscode.LogOutputChannel;
}

/** Fills the webview with the page and connects it. */
export function openPage<Message>(options: PageOptions<Message>): vscode.Disposable {
  const { webview, schema, page } = options;
  webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.file(pageFolder(options.extensionFolder))] };
  const subscription = webview.onDidReceiveMessage(async (raw: unknown) => {
    const parsed = schema.safeParse(raw);
    if (!parsed.success) {
      options.log.warn(`${page} page: refused a message: ${parsed.error.message}`);
      return;
    }
    try {
      await options.receive(parsed.data);
    } catch (error) {
      void showError(options.log, error);
    }
  });
  webview.html = pageHtml(options);
  return subscription;
}

export function postSnapshot(webview: vscode.Webview, snapshot: PageState): void {
  void webview.postMessage(snapshot);
}

function pageFolder(extensionFolder: string): string {
  return join(extensionFolder, 'dist', 'webview');
}

function pageHtml({
  webview,
  extensionFolder,
  page,
  title,
  restore,
}: PageOptions<never> | PageOptions<unknown>): string {
  const nonce = randomBytes(18).toString('base64url');
  const folder = pageFolder(extensionFolder);
  const address = (file: string) => webview.asWebviewUri(vscode.Uri.file(join(folder, file))).toString();
  const style = existsSync(join(folder, `${page}.css`))
    ? `<link rel="stylesheet" href="${address(`${page}.css`)}" nonce="${nonce}">`
    : '';
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
${style}
</head>
<body data-page="${page}">
<div id="root"></div>
<script nonce="${nonce}">${envelopeScript(restore)}</script>
<script nonce="${nonce}" src="${address(`${page}.js`)}"></script>
</body>
</html>`;
}

/** What the page keeps is put into an envelope with what the host needs to restore the panel after a reload. */
function envelopeScript(restore: Record<string, string>): string {
  const kept = JSON.stringify(restore).replaceAll('<', '\\u003c');
  return `{
const api = acquireVsCodeApi();
const restore = ${kept};
const keep = page => api.setState({ restore, page });
keep(api.getState()?.page);
globalThis.acquireVsCodeApi = () => ({
  postMessage: message => api.postMessage(message),
  getState: () => api.getState()?.page,
  setState: page => { keep(page); return page; },
});
}`;
}

/** What `restore` was when the panel was last shown. */
export function readRestored(state: unknown, name: string): string | undefined {
  const restore = (state as { restore?: Record<string, unknown> } | undefined)?.restore;
  const value = restore?.[name];
  return typeof value === 'string' ? value : undefined;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
