// @ts-check
/** ONNX Runtime's profiles of a session -> where the time goes, by operator and by the shapes of matrix products. */

/**
 * @typedef {object} TraceEvent as ONNX Runtime writes it
 * @property {string} cat
 * @property {string} name
 * @property {number} dur microseconds
 * @property {{ op_name?: string, input_type_shape?: Shapes, output_type_shape?: Shapes }} [args]
 */
/** @typedef {readonly Record<string, readonly number[]>[]} Shapes one entry a tensor: its type, its dimensions */
/** @typedef {{ name: string, ms: number, calls: number, gigaflops: number | null }} Part */

const products = new Set(['MatMul', 'Gemm', 'FusedMatMul', 'FusedGemm', 'MatMulIntegerToFloat', 'MatMulNBits']);

/**
 * @param {readonly TraceEvent[]} events
 * @returns {{ totalMs: number, productShare: number, operators: Part[], shapes: Part[] }} longest first
 */
export function summarizeProfile(events) {
  /** @type {Map<string, Part>} */
  const operators = new Map();
  /** @type {Map<string, Part & { flops: number }>} */
  const shapes = new Map();
  for (const { cat, name, dur, args } of events) {
    const operator = args?.op_name;
    if (cat !== 'Node' || operator === undefined || !name.endsWith('_kernel_time')) continue;
    const part = operators.get(operator) ?? { name: operator, ms: 0, calls: 0, gigaflops: null };
    operators.set(operator, { ...part, ms: part.ms + dur / 1000, calls: part.calls + 1 });
    if (!products.has(operator)) continue;
    const [a = [], b = []] = readShapes(args?.input_type_shape);
    const [out = []] = readShapes(args?.output_type_shape);
    const title = `${operator} ${[a, b].map(shape => `[${shape.join(', ')}]`).join(' ')} -> [${out.join(', ')}]`;
    const known = shapes.get(title) ?? { name: title, ms: 0, calls: 0, gigaflops: null, flops: 0 };
    const flops = known.flops + countFlops(a, b, out);
    const ms = known.ms + dur / 1000;
    shapes.set(title, {
      name: title,
      ms,
      calls: known.calls + 1,
      flops,
      gigaflops: flops > 0 ? flops / ms / 1e6 : null,
    });
  }
  const longestFirst = (/** @type {Iterable<Part>} */ parts) => [...parts].sort((x, y) => y.ms - x.ms);
  const totalMs = sum(operators.values());
  const productMs = sum([...operators.values()].filter(({ name }) => products.has(name)));
  return {
    totalMs,
    productShare: totalMs === 0 ? 0 : productMs / totalMs,
    operators: longestFirst(operators.values()),
    shapes: longestFirst(shapes.values()),
  };
}

/** Two tables for a terminal. @param {ReturnType<typeof summarizeProfile>} profile @param {number} rows of each */
export function profileTables({ totalMs, operators, shapes }, rows) {
  const toTable = (/** @type {string} */ title, /** @type {readonly Part[]} */ parts) => ({
    header: [title, 'ms', 'share', 'calls', 'GFLOP/s'],
    rows: parts
      .slice(0, rows)
      .map(({ name, ms, calls, gigaflops }) => [
        name,
        ms.toFixed(0),
        `${((100 * ms) / totalMs).toFixed(1)} %`,
        String(calls),
        gigaflops === null ? '' : gigaflops.toFixed(1),
      ]),
  });
  return [toTable('Operator', operators), toTable('Matrix product', shapes)];
}

/** @param {Shapes | undefined} shapes */
function readShapes(shapes) {
  return (shapes ?? []).map(tensor => Object.values(tensor)[0] ?? []);
}

/**
 * 2 M K N, whichever side is transposed: the three sizes M K, K N and M N multiply to its square. Only for matrices.
 * @param {readonly number[]} a
 * @param {readonly number[]} b
 * @param {readonly number[]} out
 */
function countFlops(a, b, out) {
  if (a.length !== 2 || b.length !== 2 || out.length !== 2) return 0;
  return 2 * Math.sqrt([...a, ...b, ...out].reduce((product, dim) => product * dim, 1));
}

/** @param {Iterable<Part>} parts */
function sum(parts) {
  let total = 0;
  for (const { ms } of parts) total += ms;
  return total;
}
