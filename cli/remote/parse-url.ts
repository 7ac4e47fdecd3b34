import { appOfPath } from '../receive/parse-command.ts';

/** Where an app's repository is, as far as ssh needs to know. */
export interface SshAddress {
  /** `host` or `user@host` */
  destination: string;
  port: string | null;
  app: string;
}

/**
 * Reads the URL of a git remote: `ssh://[user@]host[:port]/app` or `[user@]host:app`, with or without `.git`. Null when
 * it is no ssh URL, or when its path cannot be an app's, as with most other servers of git.
 */
export function parseSshUrl(url: string): SshAddress | null {
  const { destination, port = null, path } = (full.exec(url) ?? short.exec(url))?.groups ?? {};
  const app = path === undefined ? null : appOfPath(path);
  // ssh would take a host that begins with a dash for an option.
  if (destination === undefined || app === null || /(?:^|@)-/.test(destination)) return null;
  return { destination: destination.replace(/^((?:.*@)?)\[(.*)\]$/, '$1$2'), port, app };
}

const full =
  /^(?:ssh|git\+ssh|ssh\+git):\/\/(?<destination>(?:[^@/\s]+@)?(?:\[[0-9a-fA-F:.%]+\]|[^:/\s[\]]+))(?::(?<port>\d{1,5}))?(?<path>\/\S*)$/;
// git takes the part before the colon for a host only when there is no slash in it; \w: would be a drive of Windows.
const short = /^(?<destination>(?:[^@:/\s]+@)?(?:\[[0-9a-fA-F:.%]+\]|[^:/\s[\]]{2,})):(?<path>(?!\/\/)\S+)$/;
