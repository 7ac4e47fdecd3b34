import { createHash } from 'node:crypto';
import { deployLimits } from '../../runtime/contract/limits.ts';

/**
 * The name of the preview of a branch, which is the first label of its host name: `feature-login--shop` for
 * `feature/login` of shop. Two hyphens in a row cannot be in an app's name. With `marked` a hash of the branch is in
 * it: for a branch whose plain name another one has.
 */
export function previewName(branch: string, { app, marked = false }: { app: string; marked?: boolean }): string {
  const slug = branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const room = deployLimits.hostLabelChars - app.length - 2;
  // `xn--` starts a name in Punycode (RFC 5891).
  const plain = slug !== '' && slug !== 'xn' && slug.length <= room && !marked;
  if (plain) return `${slug}--${app}`;
  const hash = createHash('sha256').update(branch).digest('hex').slice(0, 6);
  const start = slug.slice(0, Math.max(0, room - hash.length - 1)).replace(/-+$/, '');
  return `${start === '' ? 'b' : start}-${hash}--${app}`.slice(-deployLimits.hostLabelChars);
}

/** The app that a preview is of; any other app's name as it is. */
export function ownerOf(name: string): string {
  const at = name.lastIndexOf('--');
  return at === -1 ? name : name.slice(at + 2);
}
