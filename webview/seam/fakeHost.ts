/** @file A host for a plain browser: keeps what the page sends and shows it the snapshots it is given. */
import type { PageState } from '../../src/shared/pages.ts';
import type { VsCodeApi } from './host.ts';

export interface FakeHost {
  /** Every message of the page, oldest first. */
  readonly sent: unknown[];
  show(snapshot: PageState): void;
}

/** Puts the fake where a page looks for VS Code; `answer` may reply to a message with a snapshot. */
export function installFakeHost(answer: (message: unknown) => PageState | null): FakeHost {
  const sent: unknown[] = [];
  const show = (snapshot: PageState) => window.postMessage(snapshot, '*');
  const storageKey = `tuning-fork:${location.pathname}${location.search}`;
  const api: VsCodeApi = {
    postMessage(message) {
      sent.push(structuredClone(message));
      const snapshot = answer(message);
      if (snapshot) show(snapshot);
    },
    getState: () => JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') ?? undefined,
    setState: kept => sessionStorage.setItem(storageKey, JSON.stringify(kept)),
  };
  Reflect.set(globalThis, 'acquireVsCodeApi', () => api);
  return { sent, show };
}
