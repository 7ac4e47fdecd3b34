import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { setupLimits } from '../../../../runtime/contract/limits.ts';
import { must } from '../../must.ts';
import type { SetupContext } from '../../step.ts';

export interface RiskyChange {
  /** Names the timer: `fnrun-undo-<id>`. */
  id: string;
  /** What changes, for messages: `the firewall`. */
  subject: string;
  /** Shell that puts back what was there before. May be run twice. */
  undo: string;
  change: () => Promise<void>;
}

/**
 * Makes a change that may lock the caller out. Before it, a timer is set on the machine that takes the change back; it is
 * stopped when somebody could log in anew. So the way in comes back even if nobody reaches the machine any more.
 * Throws FN_SETUP_FAILED when the change was, or will be, taken back.
 */
export async function changeWithWayBack(
  { machine, tell }: Pick<SetupContext, 'machine' | 'tell'>,
  { id, subject, undo, change }: RiskyChange,
): Promise<void> {
  const unit = `fnrun-undo-${id}`;
  const { undoSeconds } = setupLimits;
  await arm();
  try {
    await change();
    tell('logging in anew, to see that one still can');
    await machine.loginAnew();
    // A timer that has run is gone.
    const disarm = `systemctl is-active -q ${unit}.timer && systemctl stop ${unit}.timer`;
    if ((await machine.run(['sh', '-c', disarm])).code !== 0) throw new Error(`it took longer than ${undoSeconds} s`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const outcome = (await undoNow())
      ? 'it is again as it was before'
      : `the machine itself puts back what was there, ${undoSeconds} s after the change`;
    throw new FnrunError('FN_SETUP_FAILED', `The change of ${subject} was not kept, ${outcome}: ${reason}`, {
      cause,
      ...(cause instanceof FnrunError && cause.hint !== null && { hint: cause.hint }),
    });
  }

  async function arm(): Promise<void> {
    const clear = `systemctl stop ${unit}.timer; systemctl reset-failed ${unit}.timer ${unit}.service; exit 0`;
    await must(machine, ['sh', '-c', clear]);
    const timer = [`--on-active=${undoSeconds}`, '--timer-property=AccuracySec=1s'];
    await must(machine, ['systemd-run', '-q', `--unit=${unit}`, ...timer, '/bin/sh', '-c', undo]);
  }

  /** Whether it worked. Over the connection that there is, which a change of this kind does not cut. */
  async function undoNow(): Promise<boolean> {
    try {
      await must(machine, ['sh', '-c', undo]);
      await must(machine, ['systemctl', 'stop', `${unit}.timer`]).catch(() => undefined);
      return true;
    } catch {
      return false;
    }
  }
}
