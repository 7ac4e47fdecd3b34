import { socketLimits } from '../../contract/limits.ts';
import type { HostApp } from '../app.ts';

type Package = typeof import('ws');

/** The ws package, which only an app that takes WebSockets pays for: 20 ms of the main thread, and 4 MB. */
export interface SocketPackage {
  load(): Promise<Package>;
  /** Loads it in a moment when nothing is under way, if the live release takes WebSockets: so that no client waits for it. */
  prepare(): void;
}

export function createSocketPackage(app: Pick<HostApp, 'live'>): SocketPackage {
  let loaded: Promise<Package> | null = null;
  let timer: NodeJS.Timeout | null = null;
  const load = (): Promise<Package> => (loaded ??= import('ws'));
  const loadWhenIdle = (looksLeft: number): void => {
    timer = setTimeout(() => {
      timer = null;
      if (loaded !== null) return;
      const busy = [...(app.live?.slots.values() ?? [])].some((slot) => slot.workers.inFlight > 0);
      if (busy && looksLeft > 0) loadWhenIdle(looksLeft - 1);
      else void load();
    }, socketLimits.prepareEveryMs).unref();
  };
  return {
    load,
    prepare() {
      if (loaded !== null || timer !== null) return;
      const wanted = app.live?.manifest.functions.some(({ inspection }) => inspection?.websocket === true);
      if (wanted === true) loadWhenIdle(socketLimits.prepareLooks);
    },
  };
}
