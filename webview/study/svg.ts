/** @file An element of a drawing, with its attributes. */
export function svg(name: string, attributes: Readonly<Record<string, string>>, text?: string): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
