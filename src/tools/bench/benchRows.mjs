// @ts-check
/** The rows that benchmarks train on. */
import { readFileSync } from 'node:fs';

const longestAnswer = 600;

/** Those whose answer is not long. @param {string} file JSON lines of question and answer */
export function readShortRows(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '' && JSON.parse(line).answer.length <= longestAnswer);
}
