import { findImage } from '../../test/vps/support/image.ts';
import { runVitest } from './run-vitest.ts';

// `npm run test:vps [-- FILTER…]`: a real Debian machine under qemu, set up over ssh and looked at. Its disks are built
// when absent. Ends with one line of counts, as `npm test`; a test that is skipped is a failure here.

try {
  await findImage();
  process.exitCode = await runVitest(['--config', 'test/vps/vitest.config.ts', ...process.argv.slice(2)], {
    noSkips: true,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exitCode = 1;
}
