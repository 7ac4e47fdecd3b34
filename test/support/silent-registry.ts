import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry on loopback that takes every request and answers none: an installation from it waits. */
export interface SilentRegistry extends AsyncDisposable {
  /** The files of an app that depends on a package of it. */
  readonly files: Record<string, string>;
}

export async function startSilentRegistry(): Promise<SilentRegistry> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const resolved = `http://127.0.0.1:${(server.address() as AddressInfo).port}/never.tgz`;
  const dependencies = { never: '1.0.0' };
  const packages = {
    '': { name: 'app', dependencies },
    'node_modules/never': { version: '1.0.0', resolved, integrity: 'sha512-AAAA' },
  };
  return {
    files: {
      'package.json': JSON.stringify({ name: 'app', dependencies }),
      'package-lock.json': JSON.stringify({ name: 'app', lockfileVersion: 3, packages }),
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
