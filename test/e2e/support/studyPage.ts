/** @file The panel of a search: its state, its trials, its drawings and its report. */
import type { Frame, Locator } from 'playwright-core';
import type { Workbench } from './workbench.ts';

export class StudyPage {
  private constructor(readonly frame: Frame) {}

  static async open(workbench: Workbench): Promise<StudyPage> {
    return new StudyPage(await workbench.webview('main.study'));
  }

  async waitForState(state: string, timeoutMs: number): Promise<void> {
    await this.frame.locator(`.state-badge[data-state="${state}"]`).waitFor({ timeout: timeoutMs });
  }

  button(name: string): Locator {
    return this.frame.getByRole('button', { name, exact: true });
  }

  /** Rows of the table of trials, those in a state alone where one is named. */
  trials(state?: string): Locator {
    const rows = this.frame.locator('.trial-table tbody tr');
    return state === undefined ? rows : rows.filter({ hasText: state });
  }

  /** Numbers and values, as the table has them. */
  async readTrials(): Promise<{ number: number; value: string }[]> {
    const cells = await this.trials().evaluateAll(rows =>
      rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent ?? '')),
    );
    return cells.map(([number, , , value]) => ({ number: Number(number), value: value ?? '' }));
  }

  /** Lines of the drawing over all settings, one a trial. */
  get lines(): Locator {
    return this.frame.locator('polyline.trial-line');
  }
}
