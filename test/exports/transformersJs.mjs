// @ts-check
/**
 * `node transformersJs.mjs FOLDER PROMPTS`: what an untouched transformers.js answers greedily with the model in FOLDER, the
 * prompts of a JSON list in one batch. Prints the texts as a JSON list.
 */
import { pipeline } from '@huggingface/transformers';

const [folder = '', prompts = '[]'] = process.argv.slice(2);
const generate = await pipeline('text-generation', folder, { local_files_only: true, device: 'cpu' });
const options = { max_new_tokens: 8, do_sample: false, return_full_text: false, add_special_tokens: false };
const outputs = await generate(JSON.parse(prompts), options);
console.log(JSON.stringify(outputs.map((/** @type {any} */ output) => [output].flat()[0].generated_text)));
