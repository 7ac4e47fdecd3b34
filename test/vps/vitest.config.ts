import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Not among the projects of `npm test`: a machine takes both cores for minutes. `npm run test:vps` runs them.
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    name: 'vps',
    include: ['test/vps/**/*.test.ts'],
    globalSetup: ['cli/build/vitest-setup.ts', 'test/vps/support/setup.ts'],
    // One file at a time, so that there is one machine at a time.
    maxWorkers: 1,
    // An emulated machine beside other work is slow; each wait within has its own deadline.
    testTimeout: 1_800_000,
    hookTimeout: 3_600_000,
  },
});
