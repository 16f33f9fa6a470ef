/** @file VS Code's window as a user knows it: what can be clicked, typed and read. */
import type { Locator, Page } from 'playwright-core';
import { waitForWebview } from './webviewFrame.ts';

export class Workbench {
  constructor(readonly page: Page) {}

  async waitUntilReady(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor();
    await this.page.locator('.statusbar-item').first().waitFor();
  }

  /** The icon of an activity-bar container; its presence says that the extension's contributions are registered. */
  activityBarIcon(title: string): Locator {
    return this.page.locator(`.activitybar .action-label[aria-label^="${title}"]`).first();
  }

  async openContainer(title: string): Promise<void> {
    const icon = this.activityBarIcon(title);
    await icon.waitFor();
    const item = icon.locator('xpath=ancestor-or-self::*[@role="tab"][1]');
    if ((await item.getAttribute('aria-expanded')) !== 'true') await icon.click();
  }

  explorerRow(file: string): Locator {
    return this.page.locator('.explorer-folders-view').getByRole('treeitem', { name: file, exact: true });
  }

  /** Right-clicks a file of the Explorer; `ready` is waited for first, since an open menu never refreshes. */
  async openExplorerMenu(file: string, ready: Locator): Promise<Menu> {
    await ready.waitFor();
    await this.openContainer('Explorer');
    const row = this.explorerRow(file);
    await row.click();
    await row.click({ button: 'right' });
    return new Menu(this.page);
  }

  /** A row of a tree view, by the view's title and a part of the row's text. */
  treeRow(view: string, text: string): Locator {
    return this.pane(view).locator('.monaco-list-row', { hasText: text });
  }

  /** A view of the side bar, by its title. */
  pane(view: string): Locator {
    return this.page.locator('.pane', { has: this.page.locator('.pane-header', { hasText: view }) });
  }

  /** A button of a view's title bar, by its tooltip. */
  paneAction(view: string, label: string): Locator {
    return this.pane(view).locator(`.pane-header .action-label[aria-label^="${label}"]`);
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast, .notifications-center .notification-list-item', { hasText: text });
  }

  async clickNotificationButton(text: string | RegExp, button: string): Promise<void> {
    await this.notification(text).locator('.monaco-button', { hasText: button }).click();
  }

  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  /** A dialog of the workbench (not a notification). */
  get dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  async clickDialogButton(button: string): Promise<void> {
    await this.dialog.locator('.monaco-button', { hasText: button }).click();
  }

  editorTab(name: string | RegExp): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: name });
  }

  /** Runs a command by its title, as typed into the Command Palette. */
  async runCommand(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input.input');
    await input.waitFor();
    await input.fill(`>${title}`);
    await this.quickPickRow(title).first().click();
  }

  quickPickRow(text: string | RegExp): Locator {
    return this.page.locator('.quick-input-widget .monaco-list-row', { hasText: text });
  }

  /** Types into the open quick input and confirms. */
  async answerQuickInput(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input.input');
    await input.waitFor();
    await input.fill(text);
    await input.press('Enter');
  }

  /** Opens a file by its name and waits for its text. */
  async openFile(name: string): Promise<void> {
    await this.explorerRow(name).dblclick();
    await this.editorTab(name).waitFor();
    await this.page.locator('.monaco-editor .view-lines').first().waitFor();
  }

  /** A line of the open editor, by a part of its text. */
  editorLine(text: string): Locator {
    return this.page.locator('.editor-group-container.active .view-line', { hasText: text }).first();
  }

  /** Selects a line of the open editor as a user does: three clicks. */
  async selectLine(text: string): Promise<void> {
    await this.editorLine(text).click({ clickCount: 3, position: { x: 20, y: 8 } });
    await this.statusBarItem(/\(\d+ selected\)/).waitFor();
  }

  /** Right-clicks a line of the open editor; a selection under the pointer stays. */
  async openEditorMenu(text: string): Promise<Menu> {
    await this.editorLine(text).click({ button: 'right', position: { x: 20, y: 8 } });
    return new Menu(this.page);
  }

  /** The context menu that is open or about to. */
  get menu(): Menu {
    return new Menu(this.page);
  }

  get isRestricted(): Locator {
    return this.statusBarItem('Restricted Mode');
  }

  /** Trusts the open folder the way a user does: Restricted Mode in the status bar, then Trust. */
  async trustWorkspace(): Promise<void> {
    await this.isRestricted.click();
    await this.grantTrust();
  }

  /** Clicks Trust in the trust editor, which is open or about to, and closes it. */
  async grantTrust(): Promise<void> {
    await this.page.locator('.workspace-trust-editor .monaco-button', { hasText: /^Trust$/ }).click();
    await this.isRestricted.waitFor({ state: 'detached' });
    // The editor may stand in a modal box or in a tab; Escape would race with its focus.
    const modal = this.page.locator('.monaco-modal-editor-block');
    if (await modal.isVisible()) await modal.locator('.action-label.codicon-close').last().click();
    await modal.waitFor({ state: 'hidden' });
  }

  /**
   * Reloads the window. In a browser VS Code cannot save while it unloads: it saves which editors are open every 5 s,
   * so that long is waited before.
   */
  async reload(): Promise<void> {
    await this.page.waitForTimeout(7_000);
    await this.page.reload();
    await this.waitUntilReady();
  }

  /** Focus may scroll parts that no user can scroll: puts them back, for a picture. */
  async straighten(): Promise<void> {
    await this.page.evaluate(() => {
      const parts = document.querySelectorAll(
        'html, body, .monaco-workbench, .monaco-grid-view, .monaco-grid-branch-node, .split-view-container, .split-view-view, .part',
      );
      for (const part of parts) part.scrollTop = 0;
    });
  }

  webview(selector: string, timeoutMs?: number) {
    return waitForWebview(this.page, selector, timeoutMs);
  }
}

/** An open context menu. */
export class Menu {
  constructor(private readonly page: Page) {}

  item(text: string): Locator {
    return this.page.locator('.context-view .action-label, .monaco-menu .action-label', { hasText: text });
  }

  /** Clicks until the menu closes: VS Code takes no click while a menu has only just opened. */
  async choose(text: string): Promise<void> {
    const item = this.item(text).first();
    for (let attempt = 1; ; attempt++) {
      await item.click();
      const isClosed = await item.waitFor({ state: 'hidden', timeout: 1000 }).then(
        () => true,
        () => false,
      );
      if (isClosed) return;
      if (attempt === 10) throw new Error(`expected the menu to close after a click on ${text}`);
    }
  }

  async readItems(): Promise<string[]> {
    const labels = this.page.locator('.context-view .action-label, .monaco-menu .action-label');
    await labels.first().waitFor();
    return (await labels.allTextContents()).map(label => label.trim()).filter(label => label !== '');
  }

  async close(): Promise<void> {
    await this.page.keyboard.press('Escape');
  }
}
