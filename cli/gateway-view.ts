import type { Apps } from '../deploy/apps.ts';
import type { ManagedApp } from '../deploy/context.ts';
import type { Sites } from '../deploy/sites/sites.ts';
import type { GatewayApp } from '../router/gateway/resolve-host.ts';

/** The apps as the gateway sees them. It asks with every request, so nothing is made anew but when apps come or go. */
export function gatewayView(apps: Apps, sites: Sites): () => readonly GatewayApp[] {
  let seen: readonly ManagedApp[] = [];
  let view: GatewayApp[] = [];
  return () => {
    const list = apps.list();
    if (list !== seen) {
      seen = list;
      view = list.map((app) => ({
        name: app.name,
        socketPath: app.paths.socket,
        get domains() {
          return sites.domainsOf(app.name).map(({ name }) => name);
        },
        get live() {
          return app.live !== null;
        },
        preview: app.previewOf !== null,
      }));
    }
    return view;
  };
}
