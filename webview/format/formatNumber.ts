/** @file Numbers as text: the same digits for the same kind of figure everywhere. */

/** 12345 -> `12,345` */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 row`, `2 rows`, `1,000 rows` */
export function formatCounted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A loss or a norm with four significant digits at most: `2.345`, `12.35`, `0.01234`. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace('e+', 'e');
  return value.toFixed(Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(size)))));
}

/** A tick of an axis, with the digits that tell it from its neighbours at this increment. */
export function formatTick(value: number, increment: number): string {
  const digits = Math.max(0, -Math.floor(Math.log10(increment) + 1e-9));
  return digits > 4 || Math.abs(value) >= 1e6 ? formatRate(value) : value.toFixed(digits);
}

/** A learning rate: `2e-4`, `1.87e-4`; 0 stays `0`. */
export function formatRate(value: number): string {
  if (value === 0) return '0';
  const [mantissa = '', exponent = ''] = value.toExponential(2).split('e');
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/** 0.1234 -> `12 %`; shares below ten per cent keep one digit. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent !== 0 && Math.abs(percent) < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** Tokens a second: `8.4`, `312`, `3,083` */
export function formatSpeed(tokensPerSecond: number): string {
  return tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : formatCount(tokensPerSecond);
}
