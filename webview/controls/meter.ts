/** @file A bar that fills: how much of something is used or done. */
import { h, setAttribute, type View } from '../dom/element.ts';

export interface MeterState {
  value: number;
  max: number;
  /** What a screen reader says: `1.2 GiB of 3.1 GiB`. */
  text: string;
  tone: 'normal' | 'over';
}

/** `progressbar` for work that goes on, `meter` for an amount. */
export function createMeter(role: 'meter' | 'progressbar', label: string): View<MeterState> {
  const fill = h('div', { class: 'meter-fill' });
  const element = h('div', { class: 'meter', role, aria: { label, valuemin: '0', valuemax: '100' } }, fill);
  return {
    element,
    update({ value, max, text, tone }) {
      const share = max > 0 ? Math.min(1, Math.max(0, value / max)) : 0;
      fill.style.width = `${share * 100}%`;
      element.classList.toggle('is-over', tone === 'over');
      setAttribute(element, 'aria-valuenow', String(Math.round(share * 100)));
      setAttribute(element, 'aria-valuetext', text);
    },
  };
}
