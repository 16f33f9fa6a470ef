/** @file The one seam between a page and the host: complete, checked snapshots come down, typed messages go up. */
import type { z } from 'zod';
import type {
  CompareMessage,
  DatasetMessage,
  EvaluationMessage,
  FormMessage,
  PageState,
  RunMessage,
  StudyMessage,
} from '../../src/shared/pages.ts';
import { h, setShown, setText } from '../dom/element.ts';

/** What VS Code gives a webview; a plain browser gets a fake of the same shape (fakeHost.ts). */
export interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

interface Messages {
  'form/state': FormMessage;
  'run/state': RunMessage;
  'compare/state': CompareMessage;
  'study/state': StudyMessage;
  'dataset/state': DatasetMessage;
  'evaluation/state': EvaluationMessage;
}
type StateOf<Type extends PageState['type']> = Extract<PageState, { type: Type }>['state'];

export interface Host<Message> {
  send(message: Message): void;
  /** What `remember` was last given, also after the page was hidden and made anew. */
  recall(): unknown;
  remember(kept: unknown): void;
}

/**
 * Connects the page to its host and says that it is ready. Snapshots that arrive faster than the screen is drawn are
 * drawn once, the newest. A message of another kind is not for this page and is dropped; one that does not fit the schema
 * is refused, and the page says so.
 */
export function connectHost<Type extends PageState['type']>(
  type: Type,
  schema: z.ZodType<StateOf<Type>>,
  draw: (state: StateOf<Type>) => void,
): Host<Messages[Type]> {
  const acquire: unknown = Reflect.get(globalThis, 'acquireVsCodeApi');
  if (typeof acquire !== 'function') throw new Error('internal: this page has no host');
  const api = acquire() as VsCodeApi;
  const refusal = createRefusal();
  let newest: unknown;
  window.addEventListener('message', event => {
    if (!isSnapshot(event.data, type)) return;
    const isScheduled = newest !== undefined;
    newest = event.data.state;
    if (isScheduled) return;
    requestAnimationFrame(() => {
      const parsed = schema.safeParse(newest);
      newest = undefined;
      refusal.show(parsed.error);
      if (parsed.success) draw(parsed.data);
    });
  });
  // The page's own script is still running: its views exist only after it.
  queueMicrotask(() => api.postMessage({ type: 'page/ready' }));
  return {
    send: message => api.postMessage(message),
    recall: () => api.getState(),
    remember: kept => api.setState(kept),
  };
}

function isSnapshot(data: unknown, type: string): data is { state: object } {
  if (typeof data !== 'object' || data === null) return false;
  const message = data as { type?: unknown; state?: unknown };
  return message.type === type && typeof message.state === 'object' && message.state !== null;
}

/** What a person reads while the host and this page do not understand each other. */
function createRefusal(): { show(error: z.ZodError | undefined): void } {
  const place = h('p', { class: 'muted' });
  const element = h(
    'div',
    { class: 'page-refused', role: 'alert', hidden: true },
    h(
      'p',
      { class: 'error-text' },
      'This page was sent something that it does not understand. Reload the window; if this comes back, install the extension anew.',
    ),
    place,
  );
  document.body.prepend(element);
  return {
    show(error) {
      const issue = error?.issues[0];
      setText(place, issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`);
      setShown(element, error !== undefined);
    },
  };
}
