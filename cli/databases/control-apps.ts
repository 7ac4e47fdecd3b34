import type { DatabaseApps } from '../../deploy/database/own/give.ts';
import { hostLimits } from '../../runtime/contract/limits.ts';
import type { AppsBody, EnvBody } from '../../router/control/types.ts';
import type { ControlClient } from '../control-client.ts';

/** The apps of a running server, as those who give databases see them. */
export function controlApps(client: ControlClient): DatabaseApps {
  const envPath = (app: string): string => `/v1/apps/${encodeURIComponent(app)}/env`;
  return {
    list: async () => {
      const { apps } = await client.request<AppsBody>('GET', '/v1/apps');
      return apps.map(({ name, createdAt, preview }) => ({ name, createdAt, previewOf: preview?.app ?? null }));
    },
    readEnv: async (app) => {
      const { variables } = await client.request<EnvBody>('GET', `${envPath(app)}?values=1`);
      return Object.fromEntries(variables.map(({ name, value = '' }) => [name, value]));
    },
    setEnv: async (app, set) => {
      await client.request('POST', envPath(app), { body: { set }, deadlineMs: hostLimits.controlSwitchMs });
    },
  };
}
