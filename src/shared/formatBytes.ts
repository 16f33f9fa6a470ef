/** @file Sizes as text, in binary units: the same in pages, messages and on the command line. */

export const byteUnits = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 1536 -> `1.5 KiB` */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return value === 1 ? '1 byte' : `${value} bytes`;
  return `${value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${byteUnits[unit]}`;
}
