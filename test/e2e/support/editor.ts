/** @file One VS Code server with a browser in front of it: shared by the tests of a file, a fresh window for each. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { endDetachedRuns } from '../../../src/tools/detachedRuns.mjs';
import { freshPackage } from '../../../src/tools/package.mjs';
import { root } from '../../../src/tools/paths.mjs';
import { findVscode } from '../../../src/tools/vscode.mjs';
import {
  installExtension,
  type RunningServer,
  type ServerPlan,
  startServer,
  writeSettings,
} from '../../../src/tools/vscodeServer.mjs';
import { keepLog, keepScreenshot } from './artefacts.ts';
import { launchBrowser } from './browser.ts';
import { type PageProblems, watchPage } from './pageProblems.ts';
import { Workbench } from './workbench.ts';

export interface EditorOptions {
  /** The VSIX as users get it, the repository itself (`dist/` as built), or no extension at all. */
  extension: 'packaged' | 'development' | 'none';
  /** VS Code's own way (a folder starts in Restricted Mode), or every folder trusted. */
  trust: 'ask' | 'all';
  settings?: Record<string, unknown>;
  /** The folder of another extension, which is loaded from source beside the packaged one: VS Code takes one so. */
  other?: string;
  /** Of VS Code's server, and so of everything it starts. */
  env?: Record<string, string>;
}

export interface EditorWindow {
  page: Page;
  workbench: Workbench;
  problems: PageProblems;
  workspace: string;
}

export class Editor {
  /** Holds all that this editor writes, the workspaces too; removed by `close`. */
  readonly folder: string;
  readonly #windows: EditorWindow[] = [];

  private constructor(
    private readonly plan: ServerPlan,
    private readonly options: EditorOptions,
    private readonly server: RunningServer,
    private readonly browser: BrowserContext,
  ) {
    this.folder = plan.folder;
  }

  static async start(options: EditorOptions): Promise<Editor> {
    const vscode = findVscode();
    if (!vscode) throw new Error("VS Code's server is not there: run the suite by `npm test -- e2e`");
    const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-e2e-'));
    const plan: ServerPlan = {
      vscode,
      folder,
      trustAll: options.trust === 'all',
      driver: options.extension === 'development' || options.other !== undefined,
      settings: options.settings ?? {},
      env: { ...options.env, TUNING_FORK_STATE: join(folder, 'state') },
    };
    if (options.extension === 'packaged') {
      await installExtension(plan, await freshPackage());
    }
    const server = await startServer(plan);
    try {
      return new Editor(plan, options, server, await launchBrowser(folder));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A folder of its own for a window, with a copy of `source` (such as the sample workspace) in it. */
  makeWorkspace(name: string, source?: string): string {
    const workspace = join(this.folder, 'workspaces', name);
    mkdirSync(workspace, { recursive: true });
    if (source) cpSync(source, workspace, { recursive: true });
    return workspace;
  }

  /** Opens the folder and waits for the workbench. */
  async openWindow(workspace: string): Promise<EditorWindow> {
    const page = await this.browser.newPage();
    const problems = watchPage(page);
    const window = { page, problems, workspace, workbench: new Workbench(page) };
    this.#windows.push(window);
    const query = new URLSearchParams({ folder: workspace });
    const source = this.options.extension === 'development' ? root : this.options.other;
    if (source !== undefined) {
      const path = `vscode-remote://127.0.0.1:${this.server.port}${source}`;
      query.set('payload', JSON.stringify([['extensionDevelopmentPath', path]]));
    }
    await page.goto(`http://127.0.0.1:${this.server.port}/?${query}`);
    await window.workbench.waitUntilReady();
    return window;
  }

  /** Changes the user's settings while windows are open. */
  changeSettings(settings: Record<string, unknown>): void {
    this.plan.settings = { ...this.plan.settings, ...settings };
    writeSettings(this.plan);
  }

  /** Switches every open window to VS Code's light or dark theme. */
  async useTheme(theme: 'light' | 'dark'): Promise<void> {
    this.changeSettings({ 'workbench.colorTheme': theme === 'dark' ? 'Dark 2026' : 'Light 2026' });
    const marker = theme === 'dark' ? '.monaco-workbench.vs-dark' : '.monaco-workbench.vs';
    for (const { page } of this.#windows) await page.locator(marker).waitFor();
  }

  /** Where the extension's own log can be read: what the extension host and the output channels wrote. */
  readLogs(): string {
    const folder = join(this.folder, 'user-data/logs');
    const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
    const logs = files
      .filter(file => file.endsWith('.log'))
      .map(file => `--- ${file}\n${readFileSync(join(folder, file), 'utf8').slice(-20_000)}`);
    return [`--- server\n${this.server.readOutput().slice(-20_000)}`, ...logs].join('\n');
  }

  /** After a failed test: a picture of every window and all logs, by the test's name. Gives the files' paths. */
  async keepEvidence(name: string): Promise<string[]> {
    const files = [];
    for (const [i, { page, problems }] of this.#windows.entries()) {
      if (page.isClosed()) continue;
      files.push(await keepScreenshot(page, `failed ${name} ${i}`));
      files.push(keepLog(`failed ${name} page ${i}`, JSON.stringify(problems, null, 1)));
    }
    files.push(keepLog(`failed ${name}`, this.readLogs()));
    return files;
  }

  takeExternalRequests(): string[] {
    return this.#windows.flatMap(({ problems }) => problems.externalRequests.splice(0));
  }

  async closeWindows(): Promise<void> {
    for (const { page } of this.#windows.splice(0)) await page.close();
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    endDetachedRuns(join(this.folder, 'state'));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
