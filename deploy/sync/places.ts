/** Where a provisioned server has what root looks after; absolute paths. */
export const syncPlaces = {
  serverFile: '/etc/fnrun/server.json',
  /** Folder of nginx.conf. */
  nginx: '/etc/nginx',
  /** Certificates, and what belongs to them. */
  tls: '/var/lib/fnrun-tls',
} as const;
