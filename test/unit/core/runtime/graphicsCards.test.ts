import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listGraphicsCards } from '../../../../src/core/runtime/graphicsCards.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

describe('listGraphicsCards', () => {
  it('reads maker, driver and memory of each card, and leaves out its outlets', () => {
    const folder = temporaryFolder();
    const add = (card: string, files: Readonly<Record<string, string>>): string => {
      const device = join(folder, card, 'device');
      mkdirSync(device, { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(join(device, name), text);
      return device;
    };
    const amd = add('card0', { vendor: '0x1002\n', device: '0x73bf\n', mem_info_vram_total: '17163091968\n' });
    mkdirSync(join(folder, 'drivers', 'amdgpu'), { recursive: true });
    symlinkSync(join(folder, 'drivers', 'amdgpu'), join(amd, 'driver'));
    add('card1', { vendor: '0x10de\n', device: '0x2684\n' });
    add('card0-HDMI-A-1', { vendor: '0x1002\n' });
    expect(listGraphicsCards('linux', folder)).toEqual([
      { name: 'AMD 0x73bf', driver: 'amdgpu', memoryBytes: 17_163_091_968 },
      { name: 'NVIDIA 0x2684', driver: null, memoryBytes: null },
    ]);
  });

  it('finds none where the system does not tell, and the one of Apple silicon', () => {
    expect(listGraphicsCards('linux', '/nowhere')).toEqual([]);
    expect(listGraphicsCards('win32')).toEqual([]);
    expect(listGraphicsCards('darwin')).toEqual([{ name: 'Apple', driver: 'Metal', memoryBytes: expect.any(Number) }]);
  });
});
