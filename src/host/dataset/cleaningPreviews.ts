/** @file Pages of what a new file would hold, shown read-only as rendered Markdown, with a button that writes it in their title. */
import * as vscode from 'vscode';

const scheme = 'tuning-fork-cleaning';
const isShownKey = 'tuningFork.newFileIsShown';

export class CleaningPreviews implements vscode.TextDocumentContentProvider {
  private readonly pages = new Map<string, string>();
  /** What the button of a page does, by the page's file name. */
  private readonly writers = new Map<string, () => Promise<void>>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registrations = [
    vscode.workspace.registerTextDocumentContentProvider(scheme, this),
    vscode.window.tabGroups.onDidChangeTabs(() => this.tellShown()),
    vscode.window.tabGroups.onDidChangeTabGroups(() => this.tellShown()),
  ];
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.pages.get(uri.path) ?? '';
  }

  /** A notification hides itself while the page is read: `write` can also be asked for in the page's title until `withdraw`. */
  async show(name: string, page: string, write: () => Promise<void>): Promise<void> {
    const uri = vscode.Uri.from({ scheme, path: `/${name}.md` });
    this.pages.set(uri.path, page);
    this.writers.set(`${name}.md`, write);
    this.changed.fire(uri);
    await vscode.commands.executeCommand('markdown.showPreview', uri);
    this.tellShown();
  }

  /** Takes the button off the page. */
  withdraw(name: string): void {
    this.writers.delete(`${name}.md`);
    this.tellShown();
  }

  async write(): Promise<void> {
    await this.findShown()?.();
  }

  /** That of the page in front; a preview is known by its tab alone. */
  private findShown(): (() => Promise<void>) | undefined {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    if (!(tab?.input instanceof vscode.TabInputWebview) || !tab.input.viewType.endsWith('markdown.preview')) return;
    return [...this.writers].find(([file]) => tab.label.endsWith(` ${file}`))?.[1];
  }

  private tellShown(): void {
    void vscode.commands.executeCommand('setContext', isShownKey, this.findShown() !== undefined);
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
    this.changed.dispose();
  }
}
