import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { topicReportSchema } from '../../src/shared/datasetTopics.ts';
import { makePlace, runCli } from '../support/programs.ts';

const sample = fileURLToPath(new URL('../../media/sample/harbour-museum.jsonl', import.meta.url));

describe('tuning-fork inspect --topics', () => {
  it('finds what a sample of the rows is about, and what of the required is missing', async () => {
    const place = makePlace();
    const asked = ['--topics', '--required', 'lighthouse, soups,radiology', '--sample', '200', '--json'];
    const { code, lines } = await runCli(['inspect', sample, '--model', 'tiny', ...asked], place);
    expect(code).toBe(0);
    const report = topicReportSchema.parse((lines.at(-1) as { topics?: unknown }).topics);
    expect(report).toMatchObject({ sampledRows: 200, model: 'tiny' });
    expect(report.rows).toBeGreaterThan(200);
    expect(report.topics.length).toBeGreaterThan(4);
    expect(report.topics.reduce((sum, { rows }) => sum + rows, 0)).toBe(200);
    const soup = report.topics.find(({ words }) => words.includes('soup'));
    expect(soup!.examples[0]!.text).toContain('soup');
    expect(report.required.map(({ name, state }) => [name, state])).toEqual([
      ['lighthouse', 'covered'],
      ['soups', 'covered'],
      ['radiology', 'missing'],
    ]);
    const withoutModel = await runCli(['inspect', join(place.folder, 'none.jsonl'), '--topics'], place);
    expect(withoutModel.code).toBe(2);
  });
});
