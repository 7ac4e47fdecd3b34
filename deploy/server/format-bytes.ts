/** `73 MB`: for people. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return `${Math.round(bytes / 1e6)} MB`;
}
