/** @file Runs before a page in a plain browser: a host that answers "ready" with the snapshot named in the address. */
import '../../webview/seam/disableEval.ts';
import type { PageState } from '../../src/shared/pages.ts';
import { type FakeHost, installFakeHost } from '../../webview/seam/fakeHost.ts';
import { compareSnapshots } from './snapshots/compare.ts';
import { datasetSnapshots } from './snapshots/dataset.ts';
import { evaluationSnapshots } from './snapshots/evaluation.ts';
import { formSnapshots } from './snapshots/form.ts';
import { runSnapshots } from './snapshots/run.ts';
import { studySnapshots } from './snapshots/study.ts';

declare global {
  interface Window {
    fakeHost: FakeHost;
  }
}

const wanted = new URL(location.href).searchParams.get('state') ?? '';
const snapshots: Record<string, Record<string, PageState>> = {
  '/form': label('form/state', formSnapshots),
  '/compare': label('compare/state', compareSnapshots),
  '/run': label('run/state', runSnapshots),
  '/dataset': label('dataset/state', datasetSnapshots),
  '/evaluation': label('evaluation/state', evaluationSnapshots),
  '/study': label('study/state', studySnapshots),
};

function label<Type extends PageState['type']>(
  type: Type,
  states: Record<string, Extract<PageState, { type: Type }>['state']>,
): Record<string, PageState> {
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, { type, state } as PageState]));
}

window.fakeHost = installFakeHost(message => {
  const { type } = message as { type?: unknown };
  return type === 'page/ready' ? (snapshots[location.pathname]?.[wanted] ?? null) : null;
});
