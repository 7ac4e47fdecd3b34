import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlService } from '../router/control/service.ts';
import { FnrunError } from '../runtime/contract/errors.ts';
import { hostLimits } from '../runtime/contract/limits.ts';
import type { Apps } from './apps.ts';

/** What a server has that another one wants. */
export interface HandoverOptions {
  apps: Apps;
  /** Lets go of everything that only one server can have, and of whatever would begin something new. */
  release: () => Promise<void>;
  /** Called when the apps have ended here. */
  onOver: () => void;
  log: (line: string) => void;
}

/** One server's part in being replaced by another. */
export interface Handover extends Pick<ControlService, 'leave' | 'isLeaving'> {
  /** Resolves when the apps have ended here; null: nobody has asked for it. */
  readonly over: Promise<void> | null;
}

/**
 * How a server is replaced without a refused connection: it deploys nothing more and lets go of home and state; the other
 * one takes them and puts sockets of its own where those of the apps are, by rename: who connects meets one of both. What
 * has come to this one is answered here, each response the last of its connection.
 */
export function createHandover({ apps, release, onOver, log }: HandoverOptions): Handover {
  let leaving = false;
  let over: Promise<void> | null = null;
  return {
    get over() {
      return over;
    },
    isLeaving: () => leaving,
    async leave() {
      leaving = true;
      try {
        await idle(apps);
      } catch (error) {
        leaving = false;
        throw error;
      }
      log('another fnrun server takes over; the apps finish what has come to this one');
      await release();
      over = apps.leave().then(onOver);
      return { pid: process.pid };
    },
  };
}

/** Resolves when nothing is deployed: what is under way is not torn. Rejects with FN_BUSY after `hostLimits.leaveDeploysMs`. */
async function idle(apps: Apps): Promise<void> {
  const late = new AbortController();
  const lanes = Promise.all(apps.list().map((app) => app.lane.idle()));
  const deadline = sleep(hostLimits.leaveDeploysMs, undefined, { signal: late.signal, ref: false }).then(
    () => {
      throw new FnrunError('FN_BUSY', `A deployment has been under way for ${hostLimits.leaveDeploysMs / 1000} s`, {
        hint: 'try again when it is through: fnrun deploys APP',
      });
    },
    () => undefined,
  );
  try {
    await Promise.race([lanes, deadline]);
  } finally {
    late.abort();
  }
}
