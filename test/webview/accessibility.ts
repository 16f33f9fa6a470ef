/** @file What a screen reader is given: Chromium's own accessibility tree, and the controls in it that lack a name. */
import type { Page } from 'playwright-core';

export interface AccessibleControl {
  role: string;
  name: string;
  description: string;
  invalid: boolean;
  value: string;
}

const controlRoles = [
  'textbox',
  'combobox',
  'checkbox',
  'button',
  'tab',
  'slider',
  'meter',
  'progressbar',
  'spinbutton',
];

/** Every control of the page, in the order of the tree. */
export async function readControls(page: Page): Promise<AccessibleControl[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes
    .filter(node => !node.ignored && controlRoles.includes(String(node.role?.value)))
    .map(node => ({
      role: String(node.role?.value),
      name: String(node.name?.value ?? ''),
      description: String(node.description?.value ?? ''),
      invalid: node.properties?.some(p => p.name === 'invalid' && p.value.value === 'true') ?? false,
      value: String(node.value?.value ?? ''),
    }));
}

/** Elements whose text is wider than the page, or that make it scroll sideways. */
export function findOverflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const isClipped = (element: Element): boolean => {
      for (let parent = element.parentElement; parent; parent = parent.parentElement) {
        if (parent !== document.body && getComputedStyle(parent).overflowX !== 'visible') return true;
      }
      return false;
    };
    return [...document.querySelectorAll('#root *')]
      .filter(element => {
        const box = element.getBoundingClientRect();
        const isHidden = box.width === 0 || element.classList.contains('visually-hidden');
        return !isHidden && box.right > width + 0.5 && !isClipped(element);
      })
      .map(element => `${element.tagName.toLowerCase()}.${element.className}: ${element.textContent?.slice(0, 40)}`);
  });
}
