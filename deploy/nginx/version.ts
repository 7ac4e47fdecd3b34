/** An nginx program, by what it says about itself. */
export interface NginxBuild {
  /** `1.22.1` */
  version: string;
  /** Version of the OpenSSL that it runs with; null: it is not known. */
  openssl: string | null;
  /** Built with HTTP/2, and with serving `.gz` files that lie beside others. */
  http2: boolean;
  gzipStatic: boolean;
  /** Folder that `load_module modules/…` means; null: it is not known. */
  modulesPath: string | null;
}

/** The oldest version that a configuration can be rendered for: Debian 12's. */
export const oldestNginx = '1.22.0';

/** Reads what `nginx -V` says; null when it is no nginx. */
export function parseBuild(text: string): NginxBuild | null {
  const version = /nginx version: \S+?\/(\d+\.\d+\.\d+)/.exec(text)?.[1];
  if (version === undefined) return null;
  // "built with OpenSSL 3.0.2 … (running with OpenSSL 3.0.9 …)": what counts is the library that is there.
  const openssl = /running with OpenSSL (\d+\.\d+\.\d+)/.exec(text) ?? /built with OpenSSL (\d+\.\d+\.\d+)/.exec(text);
  return {
    version,
    openssl: openssl?.[1] ?? null,
    http2: text.includes('--with-http_v2_module'),
    gzipStatic: text.includes('--with-http_gzip_static_module'),
    modulesPath: /--modules-path=(\S+)/.exec(text)?.[1] ?? null,
  };
}

/** As the distributions build `version`, for a machine that cannot be asked. */
export function usualBuild(version: string): NginxBuild {
  return { version, openssl: null, http2: true, gzipStatic: true, modulesPath: null };
}
