import { createHash } from 'node:crypto';

/** POST /form: a form with files, parsed in memory (up to the body limit, 16 MiB by default). */
export async function POST(request: Request): Promise<Response> {
  const form = await request.formData();
  const files = [...form.values()].filter((value) => value instanceof File);
  if (files.length === 0) return Response.json({ error: 'send at least one file' }, { status: 400 });
  return Response.json(await Promise.all(files.map(describe)), { status: 201 });
}

async function describe(file: File) {
  const sha256 = createHash('sha256')
    .update(await file.bytes())
    .digest('hex');
  return { name: file.name, type: file.type, bytes: file.size, sha256 };
}
