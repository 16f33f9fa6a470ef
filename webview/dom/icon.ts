/** @file The few pictures of the pages, drawn here so that no font or image has to be loaded. */

const namespace = 'http://www.w3.org/2000/svg';

/** Paths in a 16 x 16 box, stroked with the text's colour. */
const shapes = {
  info: 'M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13M8 7v4.5M8 4.4v.9',
  warning: 'M8 1.8l6.6 12H1.4zM8 6v4M8 11.4v.9',
  error: 'M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13M5.5 5.5l5 5M10.5 5.5l-5 5',
  check: 'M2.5 8.5l3.5 4l7.5-9',
  lock: 'M3.5 7h9v7h-9zM5.5 7V4.5a2.5 2.5 0 0 1 5 0V7',
  discard: 'M3 2.5v4h4M3.4 6.5a5.3 5.3 0 1 1 0.3 4.2',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  add: 'M8 2.5v11M2.5 8h11',
  previous: 'M10.5 2.5L5 8l5.5 5.5',
  next: 'M5.5 2.5L11 8l-5.5 5.5',
} as const;
export type IconName = keyof typeof shapes;

/** A decorative picture: what it says must stand in text beside it or in the control's label. */
export function drawIcon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('focusable', 'false');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', shapes[name]);
  svg.append(path);
  return svg;
}
