/** @file Keys of OpenAI-compatible endpoints, each with the one server that it may be sent to. They travel through a pipe, once. */
import { z } from 'zod';

export const endpointKeysSchema = z.array(z.strictObject({ origin: z.string(), key: z.string().min(1) })).max(50);
export type EndpointKeys = z.infer<typeof endpointKeysSchema>;

/** Undefined where the address is no server that a key was given for. */
export function findEndpointKey(keys: EndpointKeys, address: string): string | undefined {
  const origin = URL.canParse(address) ? new URL(address).origin : undefined;
  return keys.find(known => known.origin === origin)?.key;
}
