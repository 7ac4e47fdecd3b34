import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleDist } from './bundle.ts';

// `npm run build`, also before packing: from nothing, so that the package holds no chunk of an earlier build.
const root = join(import.meta.dirname, '../..');
await rm(join(root, 'dist'), { recursive: true, force: true });
const { files, ms } = await bundleDist(root);
console.log(`dist/: ${files} files in ${ms} ms`);
