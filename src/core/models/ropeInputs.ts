/** @file The names under which every graph takes its rotary tables. */

export const ropeInputNames = { cosines: 'rope_cosines', sines: 'rope_sines' } as const;
