import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Projects are not isolated: each file would load the modules again, which takes longer than its tests.
// Real processes on a small machine: a test that needs longer says so itself.
const common = { testTimeout: 20_000, hookTimeout: 60_000 };

/** Faults whose tests do not measure what others feel meanwhile: they need no machine of their own. */
const unmeasured = 'test/faults/{http/http-corpus,http/large-bodies,daemon,database,secrets}.test.ts';

/** Files that take half a minute and more: begun first, or a core waits for the last of them. */
const long =
  /(?:http-corpus|examples|package|ssh-cli|migrations|git-pushers|kills|render-and-doctor|git|budget|drain-deadline)\.test\.ts$/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(long.test(b.moduleId)) - Number(long.test(a.moduleId)));
  }
}

/** What measures an app, and so needs the machine to itself as well. */
const measured = 'test/e2e/cli-bench.test.ts';

export default defineConfig({
  test: {
    // What a program said is worth more than its first forty letters.
    chaiConfig: { truncateThreshold: 4000 },
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          globalSetup: ['cli/build/vitest-setup.ts'],
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'tests',
          include: ['test/{integration,e2e,conformance}/**/*.test.ts', unmeasured],
          exclude: [measured],
          globalSetup: ['cli/build/vitest-setup.ts'],
          isolate: false,
          // One more than a small machine has cores: most of the time a test waits for processes.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // After the others, and one file at a time: these load the machine, and measure what their neighbours feel.
        test: {
          ...common,
          name: 'faults',
          include: ['test/faults/**/*.test.ts', measured],
          exclude: [unmeasured],
          globalSetup: ['cli/build/vitest-setup.ts', 'test/faults/support/setup.ts'],
          isolate: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
