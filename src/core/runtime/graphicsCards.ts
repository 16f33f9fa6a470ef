/** @file The machine's graphics cards with driver and memory, as far as the system tells without a library. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { totalmem } from 'node:os';
import { basename, join } from 'node:path';

export interface GraphicsCard {
  readonly name: string;
  readonly driver: string | null;
  /** Null where the system does not tell. */
  readonly memoryBytes: number | null;
}

const makers: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' };

/**
 * Linux tells of its cards in files, Apple silicon has one card that shares the machine's memory; of others nothing is known.
 * @param linuxCards where Linux lists them
 */
export function listGraphicsCards(platform = process.platform, linuxCards = '/sys/class/drm'): GraphicsCard[] {
  if (platform === 'darwin') return [{ name: 'Apple', driver: 'Metal', memoryBytes: totalmem() }];
  if (platform !== 'linux' || !existsSync(linuxCards)) return [];
  return readdirSync(linuxCards)
    .filter(entry => /^card\d+$/.test(entry) && existsSync(join(linuxCards, entry, 'device', 'vendor')))
    .sort()
    .map(entry => readLinuxCard(join(linuxCards, entry, 'device')));
}

function readLinuxCard(folder: string): GraphicsCard {
  const read = (file: string): string | undefined => {
    const path = join(folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
  };
  const [vendor = 'unknown', device = ''] = [read('vendor'), read('device')];
  const link = join(folder, 'driver');
  const memory = Number(read('mem_info_vram_total'));
  return {
    name: `${makers[vendor] ?? vendor} ${device}`.trim(),
    driver: existsSync(link) ? basename(readlinkSync(link)) : null,
    memoryBytes: memory > 0 ? memory : null,
  };
}

/** False only where the system says that there is none. */
export function mayHaveGraphicsCard(platform = process.platform): boolean {
  return platform !== 'linux' || listGraphicsCards(platform).length > 0;
}
