/** @file The compare panel: one prompt, three answers, the held-out rows. */
import type { Frame, Locator } from 'playwright-core';
import type { Workbench } from './workbench.ts';

export type AnswerKind = 'base' | 'prompted' | 'adapter';
export const answerKinds: readonly AnswerKind[] = ['base', 'prompted', 'adapter'];

export class ComparePage {
  private constructor(readonly frame: Frame) {}

  static async open(workbench: Workbench): Promise<ComparePage> {
    return new ComparePage(await workbench.webview('main.compare'));
  }

  button(name: string): Locator {
    return this.frame.getByRole('button', { name, exact: true });
  }

  get prompt(): Locator {
    return this.frame.locator('.prompt-box textarea').first();
  }

  /** The right answer to the held-out row that is asked. */
  get reference(): Locator {
    return this.frame.locator('.reference-text');
  }

  answer(kind: AnswerKind): Locator {
    return this.frame.locator(`[data-answer="${kind}"] .answer-text`);
  }

  /** Time to first token, tokens a second and counts, as written under an answer. */
  stats(kind: AnswerKind): Locator {
    return this.frame.locator(`[data-answer="${kind}"] .answer-stats`);
  }

  /** Waits until all three answers are complete; gives their texts. */
  async waitForAnswers(timeoutMs = 180_000): Promise<Record<AnswerKind, string>> {
    for (const kind of answerKinds) {
      const done = this.frame.locator(`[data-answer="${kind}"]`, { has: this.frame.locator('[aria-busy="false"]') });
      await done.locator('.answer-stats', { hasText: /tokens\/s/ }).waitFor({ timeout: timeoutMs });
    }
    const texts = await Promise.all(answerKinds.map(kind => this.answer(kind).innerText()));
    return { base: texts[0]!, prompted: texts[1]!, adapter: texts[2]! };
  }
}
