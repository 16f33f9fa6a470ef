/** @file A run's panel: its state, its drawn curves and its buttons. */
import type { Frame, Locator } from 'playwright-core';
import type { Workbench } from './workbench.ts';

/** What the page says it has drawn, straight from its chart. */
export interface DrawnLoss {
  step: number[];
  raw: (number | null)[];
  smoothed: (number | null)[];
  heldOut: (number | null)[];
}

export class RunPage {
  private constructor(readonly frame: Frame) {}

  static async open(workbench: Workbench): Promise<RunPage> {
    return new RunPage(await workbench.webview('main.run'));
  }

  /** `running`, `finished` and so on. */
  async state(): Promise<string> {
    return (await this.frame.locator('.state-badge').getAttribute('data-state')) ?? '';
  }

  async waitForState(state: string, timeoutMs = 120_000): Promise<void> {
    await this.frame.locator(`.state-badge[data-state="${state}"]`).waitFor({ timeout: timeoutMs });
  }

  button(name: string): Locator {
    return this.frame.getByRole('button', { name, exact: true });
  }

  readLoss(): Promise<DrawnLoss | null> {
    return this.frame.evaluate(() => {
      const chart = (globalThis as { __tuningForkChart?: { loss: DrawnLoss } }).__tuningForkChart;
      return chart ? chart.loss : null;
    });
  }

  /** Waits until a loss of this step or a later one is drawn; gives what is drawn then. */
  async waitForStep(step: number, timeoutMs = 120_000): Promise<DrawnLoss> {
    await this.frame.waitForFunction(
      wanted => {
        const chart = (globalThis as { __tuningForkChart?: { loss: DrawnLoss } }).__tuningForkChart;
        return chart !== undefined && (chart.loss.step.at(-1) ?? 0) >= wanted;
      },
      step,
      { timeout: timeoutMs },
    );
    return (await this.readLoss())!;
  }

  /** How many pixels of the loss chart are painted: a chart that draws nothing has none. */
  countPaintedPixels(): Promise<number> {
    return this.frame.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas');
      const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let painted = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) painted++;
      return painted;
    });
  }
}
