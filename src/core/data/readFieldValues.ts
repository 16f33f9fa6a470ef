/** @file A dataset and names of fields -> the distinct texts that stand in these fields, in the order of the rows. */
import { TuneError } from '../../shared/errors.ts';
import { isFields } from './mapping/rowReport.ts';
import { listDatasetFiles } from './read/listDatasetFiles.ts';
import { openFile } from './read/openFile.ts';
import type { DatasetOptions } from './readDataset.ts';

/** Lists of texts count as their texts. @throws TuneError `dataset-unreadable`, `usage` when no row has such a field; AbortError */
export async function readFieldValues(
  path: string,
  fields: readonly string[],
  options: Pick<DatasetOptions, 'encoding' | 'signal'> = {},
): Promise<readonly string[]> {
  const values = new Set<string>();
  const known = new Set<string>();
  for (const file of await listDatasetFiles(path)) {
    const { records } = await openFile(file, options);
    for await (const record of records) {
      if (record.kind !== 'record' || !isFields(record.value)) continue;
      for (const name of Object.keys(record.value)) known.add(name);
      for (const field of fields) {
        const held = Object.hasOwn(record.value, field) ? record.value[field] : undefined;
        for (const text of [held].flat()) if (typeof text === 'string' && text.trim() !== '') values.add(text.trim());
      }
    }
  }
  const missing = fields.find(field => !known.has(field));
  if (missing === undefined) return [...values];
  throw new TuneError('usage', `${path}: expected rows with a field "${missing}", got none`, {
    file: path,
    hint: `Its fields are: ${[...known].slice(0, 20).join(', ')}.`,
  });
}
