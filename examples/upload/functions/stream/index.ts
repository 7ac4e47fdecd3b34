import { createHash } from 'node:crypto';
import type { Config } from 'fnrun';

export const config = { maxBodyBytes: 1024 ** 3, timeoutMs: 300_000 } satisfies Config;

/** PUT /stream: a body of any size, hashed as it arrives and never held as a whole. */
export async function PUT(request: Request): Promise<Response> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return Response.json({ bytes, sha256: hash.digest('hex') }, { status: 201 });
}
