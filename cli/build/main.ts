import { join } from 'node:path';
import { bundleDist } from './bundle.ts';

// `npm run build`, also before packing: the package shall hold no chunk of an earlier build.
const { files, ms } = await bundleDist(join(import.meta.dirname, '../..'), { keepChunksMs: 0 });
console.log(`dist/: ${files} files in ${ms} ms`);
