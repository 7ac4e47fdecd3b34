/**
 * The oldest versions without a hole that was known on `asOf`. Node: its security releases (nodejs.org/en/blog/vulnerability).
 * Debian: the versions in its security archive, which keep the upstream number and add fixes. What `apt` knows of is told by the
 * check of updates; this table catches machines whose apt no longer hears of anything.
 */
export const knownVersions = {
  asOf: '2026-11-27',
  /** By release line. The releases of 21 October 2026. */
  node: { 22: '22.23.4', 24: '24.22.1', 26: '26.12.1' } as Readonly<Record<number, string>>,
  /** By codename and package. */
  debian: {
    bookworm: { nginx: '1.22.1-9+deb12u11', openssl: '3.0.22-1~deb12u2', 'mariadb-server': '1:10.11.19-0+deb12u1' },
    trixie: { nginx: '1.26.3-3+deb13u11', openssl: '3.5.7-1~deb13u3' },
  } as Readonly<Record<string, Readonly<Record<string, string>>>>,
} as const;
