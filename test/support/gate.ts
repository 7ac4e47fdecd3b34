import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { within } from './deadline.ts';

/** Where modules wait while they load, so that a test can do something to a deployment that is under way. */
export interface Gate {
  /** A statement for the top of a module: it goes on when the gate is open. */
  readonly wait: string;
  /** Resolves when so many modules have come to the gate. */
  arrived(count: number): Promise<void>;
  /** Lets all through, those to come too. */
  open(): void;
  /** Shuts it again, and counts anew. */
  shut(): void;
}

/** Makes a gate that is shut, for one test. */
export async function makeGate(): Promise<Gate> {
  const waiting = new Set<ServerResponse>();
  let seen = 0;
  let isOpen = false;
  let wake = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    seen += 1;
    wake.resolve();
    wake = Promise.withResolvers();
    if (isOpen) response.end();
    else waiting.add(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const open = (): void => {
    isOpen = true;
    for (const response of waiting) response.end();
    waiting.clear();
  };
  onTestFinished(() => {
    open();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    wait: `await fetch('http://127.0.0.1:${port}/');\n`,
    async arrived(count) {
      while (seen < count) await within(15_000, `module ${count} at the gate`, wake.promise);
    },
    open,
    shut: () => {
      isOpen = false;
      seen = 0;
    },
  };
}
