/** @file Puts a page's parts into its document: what is drawn once, hidden behind "Loading..." until the first snapshot. */
import { h, setShown } from './element.ts';

/** Adds the parts and gives the function that shows them. */
export function mountPage(...parts: HTMLElement[]): () => void {
  const loading = h('p', { class: 'muted page-loading', role: 'status' }, 'Loading…');
  const content = h('div', { class: 'page', hidden: true }, ...parts);
  (document.getElementById('root') ?? document.body).append(loading, content);
  return () => {
    setShown(loading, false);
    setShown(content, true);
  };
}
