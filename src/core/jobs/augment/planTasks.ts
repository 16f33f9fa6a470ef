/** @file Training rows, chunks of documents and a recipe -> every task that the recipe makes of them, numbered. */
import type { AugmentationRecipe } from '../../../shared/augmentation.ts';
import { type Chunk, chunkDocument } from '../../data/documents/chunkDocument.ts';
import type { SourceDocument } from '../../data/documents/passage.ts';
import type { Example } from '../../data/example.ts';
import { permute } from '../../text/seededOrder.ts';
import { type AugmentTask, makeChunkTask, makeRowTask, type TaskContext } from './augmentTask.ts';

export interface PlanInput {
  readonly training: readonly Example[];
  readonly documents: readonly SourceDocument[];
  readonly recipe: AugmentationRecipe;
  readonly countTokens: (text: string) => number;
  readonly context: TaskContext;
}

/** In the order in which they are done, which the seed alone decides: whatever number of rows is wanted, it begins alike. */
export function planTasks({ training, documents, recipe, countTokens, context }: PlanInput): AugmentTask[] {
  const tasks: AugmentTask[] = [];
  let index = 0;
  for (const method of recipe.methods) {
    if (method.method === 'questions') {
      const chunks = documents.flatMap((document): Chunk[] => chunkDocument(document, { ...method, countTokens }));
      for (const chunk of chunks) tasks.push(makeChunkTask(chunk, method.perChunk, index++, context));
      continue;
    }
    const variants = method.method === 'backTranslation' ? 1 : method.perRow;
    for (let variant = 0; variant < variants; variant++) {
      for (const example of training) {
        const task = makeRowTask(example, method, variant, index++, context);
        if (task !== undefined) tasks.push(task);
      }
    }
  }
  return Array.from(permute(tasks.length, context.seed, orderPurpose), i => tasks[i]!);
}

/** Keeps this order apart from others of the same seed. */
const orderPurpose = 0x6175_676d;
