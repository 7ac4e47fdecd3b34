import type { AppBody, DeploymentBody, ProcessBody } from '../router/control/types.ts';
import type { DeployContext, LiveRelease, ManagedApp } from './context.ts';
import { branchName } from './push/updates.ts';
import type { DeploymentRecord } from './store/store.ts';

export function presentApp(context: DeployContext, app: ManagedApp): AppBody {
  const { live } = app;
  return {
    name: app.name,
    createdAt: iso(app.createdAtMs),
    repository: app.paths.repository,
    socket: app.paths.socket,
    url: context.urlOf(app.name),
    domains: live?.domains ?? [],
    branch: branchName(app.production) ?? app.production,
    preview:
      app.previewOf === null
        ? null
        : { app: app.previewOf, expiresAt: iso(app.usedAtMs + context.previews().policy.idleMs) },
    live: live && {
      release: live.release,
      deployment: live.deployment,
      commit: live.commit,
      functions: live.functions,
      since: iso(live.sinceMs),
    },
  };
}

export function presentDeployment(record: DeploymentRecord, live: LiveRelease | null): DeploymentBody {
  const { startedAtMs, finishedAtMs, ...same } = record;
  return {
    ...same,
    startedAt: iso(startedAtMs),
    finishedAt: finishedAtMs === null ? null : iso(finishedAtMs),
    live: live?.deployment === record.id,
  };
}

export async function presentProcess(app: ManagedApp): Promise<ProcessBody> {
  // A host that does not answer must not keep the others from being shown.
  const stats = await app.host.stats().catch(() => null);
  const { lastExit, exits, use, ...status } = app.host.status();
  // What a process said last may be anything.
  const clean = (text: string | null): string | null => text && app.redaction.text(text);
  return {
    app: app.name,
    release: app.live?.release ?? null,
    user: app.user?.id ?? null,
    ...status,
    use: use && { ...use, openFiles: use.openFiles ?? stats?.openFiles ?? null },
    lastExit: clean(lastExit),
    exits: exits.map((exit) => ({ ...exit, lastWords: clean(exit.lastWords) })),
    stats,
  };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
