/** @file A pipeline's panel: its stages and the table of what they forgot. */
import type { Frame, Locator } from 'playwright-core';
import type { Workbench } from './workbench.ts';

export class PipelinePage {
  private constructor(readonly frame: Frame) {}

  static async open(workbench: Workbench): Promise<PipelinePage> {
    return new PipelinePage(await workbench.webview('main.run .stages .stage'));
  }

  async waitForState(state: string, timeoutMs = 180_000): Promise<void> {
    await this.frame.locator(`.run-header .state-badge[data-state="${state}"]`).waitFor({ timeout: timeoutMs });
  }

  stage(name: string): Locator {
    return this.frame.locator(`.stage[data-stage="${name}"]`);
  }

  /** `finished`, `reused` and so on, in order. */
  stageStates(): Promise<(string | null)[]> {
    return this.frame.locator('.stage').evaluateAll(stages => stages.map(stage => stage.getAttribute('data-state')));
  }

  /** The figures of the table, row by row. */
  async readTable(): Promise<string[][]> {
    const rows = this.frame.locator('.forgetting tbody tr');
    const texts = await rows.evaluateAll(all =>
      all.map(row => [...row.querySelectorAll('td > span:first-child')].map(cell => cell.textContent ?? '')),
    );
    return texts;
  }
}
