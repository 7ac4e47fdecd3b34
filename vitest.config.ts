import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,integration,e2e,conformance}/**/*.test.ts'],
    globalSetup: ['cli/build/vitest-setup.ts'],
    // Real processes on a small machine: a test that needs longer says so itself.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
