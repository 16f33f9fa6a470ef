/** @file Sizes as text and back, in binary units. */

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 1536 -> `1.5 KiB`, 2_147_483_648 -> `2.0 GiB` */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return value === 1 ? '1 byte' : `${value} bytes`;
  return `${value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

/** The shortest text that `parseBytes` reads back as exactly these bytes: `8 GiB`, `1536 MiB`, `1000`. */
export function printBytes(bytes: number): string {
  for (let unit = units.length - 1; unit > 0; unit--) {
    if (bytes >= 1024 ** unit && bytes % 1024 ** unit === 0) return `${bytes / 1024 ** unit} ${units[unit]}`;
  }
  return String(bytes);
}

/** Bytes that a person's text stands for (`8 GiB`, `8gb`, `1.5 g`, `4096`); GB is read as GiB. Undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])i?b?|b|bytes)?\s*$/i.exec(text);
  if (!match) return undefined;
  const power = match[2] ? 'kmgt'.indexOf(match[2].toLowerCase()) + 1 : 0;
  return Math.round(Number(match[1]) * 1024 ** power);
}
