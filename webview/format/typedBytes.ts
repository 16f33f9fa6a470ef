/** @file Sizes as a person types them, in binary units, and back. */
import { byteUnits } from '../../src/shared/formatBytes.ts';

/** The shortest text that `parseBytes` reads back as exactly these bytes: `8 GiB`, `1536 MiB`, `1000`. */
export function printBytes(bytes: number): string {
  for (let unit = byteUnits.length - 1; unit > 0; unit--) {
    if (bytes >= 1024 ** unit && bytes % 1024 ** unit === 0) return `${bytes / 1024 ** unit} ${byteUnits[unit]}`;
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
