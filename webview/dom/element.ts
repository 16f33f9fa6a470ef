/** @file Elements from plain calls, and updates that touch only what changed, so that focus and selection stay. */

export type Child = Node | string | null;

export interface ElementOptions {
  class?: string;
  id?: string;
  title?: string;
  role?: string;
  hidden?: boolean;
  /** aria-* attributes by the part after the hyphen. */
  aria?: Record<string, string>;
  /** data-* attributes by the part after the hyphen. */
  data?: Record<string, string>;
  onClick?: (event: MouseEvent) => void;
}

/** A part of a page: made once, then told each new state. */
export interface View<State> {
  readonly element: HTMLElement;
  update(state: State): void;
}

/** A new element with its children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (options.class) element.className = options.class;
  if (options.id) element.id = options.id;
  if (options.title) element.title = options.title;
  if (options.role) element.setAttribute('role', options.role);
  if (options.hidden) element.hidden = true;
  for (const [name, value] of Object.entries(options.aria ?? {})) element.setAttribute(`aria-${name}`, value);
  for (const [name, value] of Object.entries(options.data ?? {})) element.setAttribute(`data-${name}`, value);
  if (options.onClick) element.addEventListener('click', options.onClick as EventListener);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** Sets the text where it differs: an untouched node keeps the reader's selection and is not announced again. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The text, and the same as title because the element may cut it off. */
export function setCutText(element: HTMLElement, text: string): void {
  setText(element, text);
  if (element.title !== text) element.title = text;
}

export function setShown(element: HTMLElement, shown: boolean): void {
  if (element.hidden === shown) element.hidden = !shown;
}

/** Sets or (null) removes an attribute where it differs. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A function that rebuilds the children of `element` only when what they are drawn from has changed. */
export function createRebuilder<State>(element: HTMLElement, build: (state: State) => Child[]): (state: State) => void {
  let drawn: string | undefined;
  return state => {
    const key = JSON.stringify(state) ?? 'undefined';
    if (key === drawn) return;
    drawn = key;
    element.replaceChildren(...build(state).filter(child => child !== null));
  };
}

let ids = 0;
/** An id no other element of the page has. */
export function createId(prefix: string): string {
  ids += 1;
  return `${prefix}-${ids}`;
}
