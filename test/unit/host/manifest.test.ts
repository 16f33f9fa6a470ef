import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { datasetExtensions } from '../../../src/shared/datasetFormats.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const texts: Record<string, string> = JSON.parse(readFileSync('package.nls.json', 'utf8'));
const commandTable = readFileSync('src/host/commands/commandTable.ts', 'utf8');
const declared: string[] = manifest.contributes.commands.map((c: { command: string }) => c.command);

describe('package.json', () => {
  it('declares exactly the commands that are registered', () => {
    const registered = [...commandTable.matchAll(/'(tuningFork\.[\w.]+)'/g)].map(match => match[1]);
    expect(registered.sort()).toEqual([...declared].sort());
  });

  it('uses only declared commands in menus, welcome texts and the walkthrough', () => {
    const menus = Object.values(manifest.contributes.menus).flat() as { command: string }[];
    const links = [
      ...Object.values(texts)
        .join('\n')
        .matchAll(/\(command:([\w.]+)\)/g),
    ].map(match => match[1]!);
    const own = links.filter(link => !link.endsWith('.focus'));
    for (const command of [...menus.map(item => item.command), ...own]) expect(declared).toContain(command);
  });

  it('has a text for each placeholder and no text that nothing uses', () => {
    const used = [...JSON.stringify(manifest).matchAll(/%([\w.]+)%/g)].map(match => match[1]);
    expect([...new Set(used)].sort()).toEqual(Object.keys(texts).sort());
  });

  it('names pictures that exist', () => {
    const files = [...JSON.stringify(manifest).matchAll(/"(media\/[\w./-]+)"/g)].map(match => match[1]!);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(existsSync(file), file).toBe(true);
  });

  it('lets no workspace name a program to run or a place to send the Hub token to', () => {
    const { properties } = manifest.contributes.configuration;
    const restricted: string[] = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
    for (const name of [
      'tuningFork.nodePath',
      'tuningFork.pythonPath',
      'tuningFork.hubEndpoint',
      'tuningFork.hubCache',
    ]) {
      expect(properties[name].scope).toBe('machine');
      expect(restricted).toContain(name);
    }
    const opened = ['runsFolder', 'modelFolders', 'defaultModel'].map(name => `tuningFork.${name}`);
    expect(restricted).toEqual(expect.arrayContaining(opened)); // folders and files that are opened while nothing is trusted
  });

  it('offers the dataset command on datasets alone', () => {
    const when: string = manifest.contributes.menus['explorer/context'][0].when;
    const pattern = /resourceFilename =~ \/(.+?)\/i/.exec(when)![1]!;
    const named = (name: string) => new RegExp(pattern, 'i').test(name);
    const offered = [...datasetExtensions.flatMap(ending => [`a.${ending}`, `a.b.${ending}.gz`]), 'A.CSV'];
    expect(offered.filter(name => !named(name))).toEqual([]);
    expect(['a.jsonc', 'a.py', 'a.gz', 'a.tar.gz', 'json', ''].filter(named)).toEqual([]);
    expect(when).toMatch(/explorerResourceIsFolder \|\|/);
  });
});
