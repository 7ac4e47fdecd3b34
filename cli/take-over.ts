import type { LeftBody } from '../router/control/server-types.ts';
import { FnrunError } from '../runtime/contract/errors.ts';
import { hostLimits } from '../runtime/contract/limits.ts';
import { createControlClient } from './control-client.ts';

/** Asks the server that has `home`, if there is one, to let go of it, and resolves to its process. Rejects with FN_BUSY, or with FN_ALREADY_RUNNING for one that cannot. */
export async function takeOver(home: string, { log }: { log: (line: string) => void }): Promise<number | null> {
  const deadlineMs = hostLimits.leaveDeploysMs + hostLimits.controlRequestMs;
  try {
    const { pid } = await createControlClient(home, { key: null }).request<LeftBody>('POST', '/v1/leave', {
      deadlineMs,
    });
    log(`takes over from the server with process ${pid}`);
    return pid;
  } catch (error) {
    if (!(error instanceof FnrunError) || error.code === 'FN_BUSY') throw error;
    // Nobody there; or one of before this was possible, as the lock of the home will tell.
    if (error.code !== 'FN_NOT_RUNNING' && error.code !== 'FN_NOT_FOUND') throw error;
    return null;
  }
}
