/** @file The hyperparameter form in the side bar, as a user fills it in. */
import type { Frame, Locator } from 'playwright-core';
import type { Workbench } from './workbench.ts';

export class FormPage {
  private constructor(readonly frame: Frame) {}

  static async open(workbench: Workbench): Promise<FormPage> {
    return new FormPage(await workbench.webview('main.form'));
  }

  text(): Promise<string> {
    return this.frame.locator('body').innerText();
  }

  input(setting: string): Locator {
    return this.frame.locator(`[data-setting="${setting}"] input`);
  }

  /** Types a value and leaves the field. */
  async set(setting: string, text: string): Promise<void> {
    await this.reveal(this.input(setting));
    await this.input(setting).fill(text);
    await this.input(setting).press('Tab');
  }

  /** Takes what a list calls by this name. */
  async choose(setting: string, label: string): Promise<void> {
    const dropdown = this.frame.locator(`[data-setting="${setting}"] vscode-dropdown`);
    await this.reveal(dropdown);
    await dropdown.click();
    await dropdown.locator('vscode-option', { hasText: label }).click();
  }

  /** Opens the group of rare settings that it is in. */
  private async reveal(control: Locator): Promise<void> {
    const advanced = this.frame.locator('details', { has: control });
    if ((await advanced.count()) > 0 && (await advanced.getAttribute('open')) === null) {
      await advanced.locator('summary').click();
    }
  }

  get startButton(): Locator {
    return this.frame.locator('.start-bar vscode-button[appearance="primary"]');
  }

  get findBestButton(): Locator {
    return this.frame.locator('.start-bar vscode-button', { hasText: 'Find the best' });
  }

  /** Why the run cannot start; empty when it can. */
  get reason(): Locator {
    return this.frame.locator('.start-reason');
  }

  /** Waits until nothing refuses the start. */
  async waitUntilReady(): Promise<void> {
    await this.frame
      .locator('.start-bar vscode-button[appearance="primary"]:not([disabled])')
      .waitFor({ timeout: 60_000 });
  }
}
