import { directive, block, type NginxFile } from './directive.ts';
import type { NginxFacts } from './facts.ts';
import { clientItems } from './main/clients.ts';
import { compressionItems } from './main/compression.ts';
import { defaultServers } from './main/default-servers.ts';
import { limitItems } from './main/limits.ts';
import { logItems } from './main/log.ts';
import { processItems } from './main/process.ts';
import { requestItems } from './main/requests.ts';
import { tlsItems } from './main/tls.ts';
import { typeItems } from './main/types.ts';
import { upstreamItems } from './main/upstream.ts';

/** The main part: all but the apps. */
export function planMain(facts: NginxFacts): NginxFile {
  return {
    name: 'nginx.conf',
    items: [
      { title: `Written by fnrun render nginx for nginx ${facts.build.version}: the whole of nginx.conf.` },
      ...processItems(facts),
      block('http', {
        items: [
          ...clientItems(facts),
          ...requestItems(),
          ...upstreamItems(),
          ...compressionItems(facts),
          ...typeItems(),
          ...limitItems(facts),
          ...logItems(facts),
          ...tlsItems(facts),
          { title: '--- Names that nobody has, then the apps ---' },
          ...defaultServers(facts),
          directive('include', ['fnrun/*.conf'], 'one file for each app, from the folder of this file'),
        ],
      }),
    ],
  };
}
